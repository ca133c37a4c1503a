"""The scheduler: the blocks of a campaign, judged one after another here or side by side in processes of their own.

Which cases a block holds follows from the seed and its number alone, every block meets a fresh candidate, and
tallies are handed over in the order of the blocks: the number of processes changes how long a run takes and
nothing else.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context

from convcheck.campaign.options import Options
from convcheck.execution import Candidate, open_candidate
from convcheck.judging.blocks import BLOCK, generate
from convcheck.judging.judge import Tally, judge_block
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case


@dataclass(frozen=True)
class Job:
    """One backend of a campaign: makes and judges any block of it; plain data, so that it travels to any process.

    Attributes:
        spec: the backend, as any process can load it.
        options: of the campaign.
    """

    spec: str
    options: Options

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        examples = self.options.examples
        return sys.maxsize if examples is None else -(-examples // BLOCK)

    def open(self) -> Candidate:
        """The candidate; the caller closes it. Raises what `open_candidate` raises."""
        options = self.options
        return open_candidate(
            self.spec, limit=options.limit, in_process=options.in_process, untrusted=options.untrusted
        )

    def block(self, capabilities: Capabilities, number: int) -> tuple[Case, ...]:
        """The cases of one block."""
        options = self.options
        size = BLOCK if options.examples is None else min(BLOCK, options.examples - number * BLOCK)
        return generate(capabilities, options.dtypes or None, run_seed=options.seed, block=number, size=size)

    def judge(self, candidate: Candidate, number: int) -> Tally:
        """The tally of one block, by a fresh candidate: what it keeps of one block cannot show in another."""
        candidate.restart()
        start = time.perf_counter()
        block = self.block(candidate.capabilities, number)
        generating = time.perf_counter() - start
        tally = judge_block(candidate, block, number, self.options.clause or None)
        tally.seconds["generation"] += generating
        return tally


def tallies(job: Job, candidate: Candidate) -> Iterator[Tally]:
    """The tallies of a job's blocks, in order, until they or the time are used up; at least one.

    Args:
        job: what to judge.
        candidate: used where one process is enough.
    """
    options = job.options
    deadline = time.perf_counter() + (float("inf") if options.seconds is None else options.seconds)
    workers = min(options.workers, job.blocks)
    if workers == 1 or options.in_process:
        for number in range(job.blocks):
            yield job.judge(candidate, number)
            if time.perf_counter() > deadline:
                return
        return
    yield from _side_by_side(job, workers, deadline)


def _side_by_side(job: Job, workers: int, deadline: float) -> Iterator[Tally]:
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _open, (job,))
    try:
        pending: dict[Future[Tally], int] = {}
        done: dict[int, Tally] = {}
        submitted = handed_over = 0
        while True:
            in_time = submitted == 0 or time.perf_counter() < deadline
            while submitted < job.blocks and len(pending) < 2 * workers and in_time:
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
    _OPENED.append((job, job.open()))


def _judge(number: int) -> Tally:
    job, candidate = _OPENED[0]
    return job.judge(candidate, number)
