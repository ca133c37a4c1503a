"""The scheduler: the parts of a campaign, judged one after another here or side by side in processes of their own.

Which cases a part holds follows from the seed, its number and the candidate alone, every part meets a fresh
candidate, and tallies are handed over in order: the number of processes changes how long a run takes and nothing else.
A process that is lost, by a kill say, is replaced, and its part goes on from where the journal says it was.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, takewhile
from multiprocessing import active_children, get_context
from multiprocessing.process import BaseProcess
from typing import Final, TypeAlias

from convcheck.campaign.job import CutShortError, Job
from convcheck.campaign.past import NOTHING, Past, PastPart
from convcheck.campaign.stopping import CASE, Never, Stop
from convcheck.execution import Candidate
from convcheck.execution.processes import die_with_parent
from convcheck.judging.parts import UNIT
from convcheck.judging.tally import Tally
from convcheck_reference.errors import ConvcheckError

_TICK: Final = 0.2
"""Seconds after which somebody who waits for a tally looks whether the run is to stop."""

_LOSSES: Final = 2
"""Losses of judging processes one after the other, with no part done between them, after which it is no chance."""


@dataclass(frozen=True, slots=True)
class Done:
    """A part that was judged to its end."""

    tally: Tally


Outcome: TypeAlias = Done | CutShortError
"""What a process says of a part."""

Pasts: TypeAlias = Callable[[int], PastPart]
"""What was judged of a part."""


class ClusterError(ConvcheckError, RuntimeError):
    """A cluster that cannot be used: Dask is not installed, nobody answers, or no worker fits."""


def nothing_yet(_index: int) -> PastPart:
    """Nothing was judged of any part."""
    return NOTHING


def tallies(job: Job, candidate: Candidate, stop: Stop | None = None, pasts: Pasts = nothing_yet) -> Iterator[Tally]:
    """The tallies of a job's parts, in order, until they or the time are used up; at least one.

    Args:
        job: what to judge.
        candidate: used where one process is enough.
        stop: whether the run is to stop.
        pasts: what was judged of a part before, which is not judged again.

    Raises:
        KeyboardInterrupt: after the tally of what was judged when the run was stopped.
        WorkerStartError, DeviceLostError: after it as well, where the candidate cannot be called any more.
        BrokenProcessPool: judging processes are lost again and again.
        JournalError: what is judged cannot be kept.
        ClusterError: there is no cluster where one is asked for.
    """
    options, stop = job.options, stop or Never()
    deadline = time.perf_counter() + (float("inf") if options.seconds is None else options.seconds)
    few = options.examples is not None and options.examples + len(job.remembered) + len(options.given) <= UNIT
    if options.scheduler:
        yield from _on_cluster(job, candidate, deadline, stop, pasts)
    elif options.workers == 1 or options.in_process or few:
        yield from _one_by_one(job, candidate, deadline, stop, pasts)
    else:
        yield from SideBySide(job, deadline, stop, pasts, options.workers).tallies()


def _on_cluster(job: Job, candidate: Candidate, deadline: float, stop: Stop, pasts: Pasts) -> Iterator[Tally]:
    try:
        from convcheck.campaign.cluster import on_cluster  # noqa: PLC0415  (Dask is an extra)
    except ImportError as error:
        raise ClusterError(f"a cluster needs Dask: pip install 'convcheck[cluster]' ({error})") from error
    yield from on_cluster(job, candidate, deadline, stop, pasts)


def _one_by_one(job: Job, candidate: Candidate, deadline: float, stop: Stop, pasts: Pasts) -> Iterator[Tally]:
    for index in takewhile(job.part, count()):
        try:
            yield job.judge(candidate, index, pasts(index), stop.requested)
        except CutShortError as cut:
            yield cut.tally
            raise cut.ended_by from cut
        if time.perf_counter() > deadline:
            return


class SideBySide:
    """Judges the parts of a job in several processes of this machine.

    Args:
        job: what to judge.
        deadline: of `time.perf_counter`, after which no part is begun.
        stop: whether the run is to stop.
        pasts: what was judged of a part before.
        workers: processes.
    """

    def __init__(self, job: Job, deadline: float, stop: Stop, pasts: Pasts, workers: int) -> None:
        self._job = job
        self._deadline = deadline
        self._stop = stop
        self._pasts = pasts
        self._workers = workers
        self._pending: dict[Future[Outcome], int] = {}
        self._done: dict[int, Tally] = {}
        self._submitted = self._handed_over = self._losses = 0
        self._cut: CutShortError | None = None
        self._others = active_children()
        self._pool = self._started()

    def tallies(self) -> Iterator[Tally]:
        """The tallies of the parts, in order."""
        try:
            while not self._stopped() and self._submit():
                try:
                    self._collect(wait(self._pending, _TICK, FIRST_COMPLETED).done)
                except BrokenProcessPool:
                    self._replace()
                yield from self._in_order()
            if self._stopped():
                yield from self._cut_short()
        except BaseException:
            self._end()
            raise
        self._pool.shutdown(wait=False)

    def _stopped(self) -> bool:
        return self._cut is not None or self._stop.requested()

    def _processes(self) -> list[BaseProcess]:
        return [process for process in active_children() if process not in self._others]

    def _tell(self) -> None:
        """Tell the judging processes to stop after their case."""
        for process in self._processes():
            with suppress(ProcessLookupError):
                os.kill(process.pid or os.getpid(), signal.SIGINT)

    def _end(self) -> None:
        """End the judging processes, whatever they are at."""
        for process in self._processes():
            process.kill()
        self._pool.shutdown()

    def _started(self) -> Executor:
        return ProcessPoolExecutor(self._workers, get_context("spawn"), _open, (self._job,))

    def _put(self, index: int, past: PastPart) -> Future[Outcome]:
        """Have a part judged by the next process that is free."""
        return self._pool.submit(_judge, index, past)

    def _submit(self) -> bool:
        """Keep every process busy; whether there is anything to wait for."""
        most = 2 * self._workers
        while len(self._pending) < most and self._job.part(self._submitted):
            past = self._pasts(self._submitted)
            if past.done:
                self._done[self._submitted] = past.tally
            elif self._submitted == 0 or time.perf_counter() < self._deadline:
                self._pending[self._put(self._submitted, past)] = self._submitted
            else:
                break
            self._submitted += 1
        return bool(self._pending or self._done)

    def _collect(self, futures: set[Future[Outcome]]) -> None:
        for future in futures:
            found = future.result()
            self._done[self._pending.pop(future)] = found.tally
            self._losses = 0
            if isinstance(found, CutShortError):  # an interrupt at the keyboard is for all processes
                self._cut = self._cut or found

    def _in_order(self) -> Iterator[Tally]:
        while self._handed_over in self._done:
            yield self._done.pop(self._handed_over)
            self._handed_over += 1

    def _replace(self) -> None:
        """Put what was lost with some process to others.

        Raises:
            BrokenProcessPool: that is no chance any more.
        """
        self._losses += 1
        if self._losses > _LOSSES:
            raise BrokenProcessPool(f"judging processes ended {self._losses} times with nothing done between")
        lost = sorted(self._pending.values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pending.clear()
        self._pool = self._started()
        for index in lost:
            self._pending[self._put(index, self._kept(index))] = index

    def _kept(self, index: int) -> PastPart:
        """What the journal has of a part."""
        job = self._job
        return NOTHING if job.journal is None else Past(job.journal).part(job.at, index)

    def _cut_short(self) -> Iterator[Tally]:
        """What was judged when the run was stopped: every process ends its case, or is ended.

        Raises:
            KeyboardInterrupt: when that is handed over; what ended a candidate for good, where that is why.
        """
        self._stop.hurry(0)
        self._tell()
        begun = [future for future in self._pending if future.running() or future.done()]
        for future in wait(begun, CASE).done:
            if not future.exception():
                self._done[self._pending.pop(future)] = future.result().tally
        self._end()
        self._done |= {index: self._kept(index).tally for index in self._pending.values()}
        for index in sorted(self._done):
            yield self._done.pop(index)
        raise KeyboardInterrupt if self._cut is None else self._cut.ended_by


_OPENED: list[tuple[Job, Candidate]] = []
"""In a judging process: its one job and candidate, opened by the pool's initializer."""

_STOPPED: list[int] = []
"""In a judging process: the signals by which the campaign, or the keyboard, has told it to stop."""


def _open(job: Job) -> None:
    signal.signal(signal.SIGINT, lambda number, _: _STOPPED.append(number))
    die_with_parent()  # what ends the campaign ends its processes
    _OPENED.append((job, job.open()))


def _judge(index: int, past: PastPart) -> Outcome:
    job, candidate = _OPENED[0]
    try:
        return Done(job.judge(candidate, index, past, lambda: bool(_STOPPED)))
    except CutShortError as cut:
        return cut
