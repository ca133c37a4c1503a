"""The scheduler: the parts of a campaign, judged one after another here or side by side in processes of their own.

Which cases a part holds follows from the seed, its number and the candidate alone, every part meets a fresh
candidate, and tallies are handed over in order: the number of processes changes how long a run takes and nothing else.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import count, takewhile
from multiprocessing import get_context

from convcheck.campaign.known_failures import Known
from convcheck.campaign.options import Options
from convcheck.campaign.sanitizing import judge_share
from convcheck.execution import Candidate, open_candidate
from convcheck.execution.processes import die_with_parent
from convcheck.judging.blocks import BLOCK
from convcheck.judging.drawn import drawn_cases
from convcheck.judging.histories import judge_histories
from convcheck.judging.judge import Judge, Tally
from convcheck.judging.long_history import judge_long_history
from convcheck.judging.own_cases import tried_alone
from convcheck.judging.parts import SANITIZED, Part, part_at
from convcheck.judging.remembered import judge_remembered, remembered_cases
from convcheck.judging.sanitizing import chosen
from convcheck.judging.search import search
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.origins import Origin


@dataclass(frozen=True)
class Job:
    """One backend of a campaign: makes and judges any part of it; plain data, so that it travels to any process.

    Attributes:
        spec: the backend, as any process can load it.
        options: of the campaign.
        remembered: the cases that failed in earlier runs, as tokens, and the histories, as lines.
    """

    spec: str
    options: Options
    remembered: tuple[str, ...] = ()

    def part(self, index: int) -> Part | None:
        """A part of the run; None after the last."""
        sanitized = self.options.sanitize is not None
        return part_at(
            index, self.options.examples, len(self.remembered), sanitized=sanitized, ladder=self.options.reach
        )

    def open(self) -> Candidate:
        """The candidate; the caller closes it. Raises what `open_candidate` raises."""
        options = self.options
        candidate = open_candidate(
            self.spec,
            limit=options.limit,
            start_limit=options.start_limit,
            memory=options.memory,
            in_process=options.in_process,
            untrusted=options.untrusted,
        )
        return Known(options.known).skipping(candidate)

    def judge(self, candidate: Candidate, index: int) -> Tally:
        """The tally of one part, by a fresh candidate: what it keeps of one part cannot show in another."""
        part = self.part(index)
        assert part is not None
        if part.origin is Origin.HISTORY:
            return judge_histories(
                candidate,
                index,
                run_seed=self.options.seed,
                number=part.number,
                size=part.size,
                clause=self.options.clause or None,
                dtypes=self.options.dtypes or None,
                excluded=Known(self.options.known).covers,
                most_calls=self.options.diagnosis_calls,
            )
        if part.origin is Origin.LONG_HISTORY:
            return judge_long_history(
                candidate,
                index,
                run_seed=self.options.seed,
                number=part.number,
                size=part.size,
                clause=self.options.clause or None,
                dtypes=self.options.dtypes or None,
                excluded=Known(self.options.known).covers,
            )
        if part.origin is Origin.SANITIZED:
            return judge_share(self.spec, self.options, self.cases(candidate.capabilities, index), index)
        candidate.restart()
        start = time.perf_counter()
        judge = Judge(candidate, index, self.options.clause or None, part.origin)
        if part.origin is Origin.SEARCHED:
            search(
                judge,
                candidate.capabilities,
                self.options.dtypes or None,
                run_seed=self.options.seed,
                number=part.number,
                size=part.size,
            )
        elif part.origin is Origin.REMEMBERED:
            judge_remembered(judge, self.remembered, index)
        else:
            for case in self.cases(candidate.capabilities, index):
                judge(case)
        judge.tally.failures = list(tried_alone(candidate, judge.tally.failures, self.options.clause or None))
        seconds = judge.tally.seconds
        seconds["generation"] += time.perf_counter() - start - sum(seconds.values())
        return judge.tally

    def cases(self, capabilities: Capabilities, index: int) -> tuple[Case, ...]:
        """The cases of a part that has any, and is not searched."""
        part = self.part(index)
        assert part is not None
        if part.origin is Origin.REMEMBERED:
            return remembered_cases(self.remembered)
        if part.origin is Origin.SANITIZED:
            drawn = self._drawn(capabilities, replace(part, size=min(BLOCK, SANITIZED * part.size)))
            return chosen(drawn, capabilities, part.size)
        return self._drawn(capabilities, part)

    def _drawn(self, capabilities: Capabilities, part: Part) -> tuple[Case, ...]:
        options = self.options
        return drawn_cases(part, capabilities, options.dtypes or None, run_seed=options.seed, ladder=options.reach)


def tallies(job: Job, candidate: Candidate) -> Iterator[Tally]:
    """The tallies of a job's parts, in order, until they or the time are used up; at least one.

    Args:
        job: what to judge.
        candidate: used where one process is enough.
    """
    options = job.options
    deadline = time.perf_counter() + (float("inf") if options.seconds is None else options.seconds)
    few = options.examples is not None and options.examples + len(job.remembered) <= BLOCK
    if options.workers == 1 or options.in_process or few:
        for index in takewhile(job.part, count()):
            yield job.judge(candidate, index)
            if time.perf_counter() > deadline:
                return
        return
    yield from _side_by_side(job, options.workers, deadline)


def _side_by_side(job: Job, workers: int, deadline: float) -> Iterator[Tally]:
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _open, (job,))
    try:
        pending: dict[Future[Tally], int] = {}
        done: dict[int, Tally] = {}
        submitted = handed_over = 0
        while True:
            in_time = submitted == 0 or time.perf_counter() < deadline
            while job.part(submitted) and len(pending) < 2 * workers and in_time:
                pending[pool.submit(_judge, submitted)] = submitted
                submitted += 1
                in_time = time.perf_counter() < deadline
            if not pending:
                return
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                done[pending.pop(future)] = future.result()
            while handed_over in done:
                yield done.pop(handed_over)
                handed_over += 1
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


_OPENED: list[tuple[Job, Candidate]] = []
"""In a judging process: its one job and candidate, opened by the pool's initializer."""


def _open(job: Job) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the campaign's to handle
    die_with_parent()  # and so is whatever ends it
    _OPENED.append((job, job.open()))


def _judge(index: int) -> Tally:
    job, candidate = _OPENED[0]
    return job.judge(candidate, index)
