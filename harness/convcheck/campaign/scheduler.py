"""Lanes: the blocks of a campaign, judged one after another here or side by side in processes of their own.

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

from convcheck.execution.candidate import Candidate
from convcheck.execution.in_process_candidate import InProcessCandidate
from convcheck.execution.launch import trusted, untrusted
from convcheck.execution.subprocess_candidate import CALL_LIMIT, SubprocessCandidate
from convcheck.judging.blocks import BLOCK, generate
from convcheck.judging.judge import Tally, judge_block
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.plugin.registry import load


@dataclass(frozen=True, kw_only=True)
class Lane:
    """What a process needs to make and judge any block of one backend; plain data, so that it can travel.

    Attributes:
        spec: the backend, as `convcheck.plugin.registry.load` takes it in any process.
        examples: cases in all; None for as many as time allows.
        seed: of the generator.
        dtypes: restricts the dtypes; empty for those that the backend declares.
        clause: restricts the verdicts to one clause; empty for all.
        in_process: the candidate runs in the judging process, for debuggers.
        untrusted: the candidate's process is cut off from the judge, and what it calls is watched.
        limit: seconds that a call may take.
    """

    spec: str
    examples: int | None
    seed: int = 0
    dtypes: tuple[str, ...] = ()
    clause: str = ""
    in_process: bool = False
    untrusted: bool = False
    limit: float = CALL_LIMIT

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return sys.maxsize if self.examples is None else -(-self.examples // BLOCK)

    def open(self) -> Candidate:
        """A candidate; the caller closes it.

        Raises:
            RegistryError: the backend cannot be loaded.
            UnavailableError: its device or engine is absent.
        """
        if self.in_process:
            return InProcessCandidate(lambda: load(self.spec))
        return SubprocessCandidate(self.spec, self.limit, untrusted if self.untrusted else trusted)

    def block(self, capabilities: Capabilities, number: int) -> tuple[Case, ...]:
        """The cases of one block."""
        size = BLOCK if self.examples is None else min(BLOCK, self.examples - number * BLOCK)
        return generate(capabilities, self.dtypes or None, run_seed=self.seed, block=number, size=size)

    def judge(self, candidate: Candidate, number: int) -> Tally:
        """The tally of one block, by a fresh candidate: what it keeps of one block cannot show in another."""
        candidate.restart()
        start = time.perf_counter()
        block = self.block(candidate.capabilities, number)
        generating = time.perf_counter() - start
        tally = judge_block(candidate, block, number, self.clause or None)
        tally.seconds["generation"] += generating
        return tally


def tallies(lane: Lane, candidate: Candidate, workers: int, seconds: float | None) -> Iterator[Tally]:
    """The tallies of a lane's blocks, in order, until they or the time are used up.

    Args:
        lane: what to judge.
        candidate: used where one process is enough.
        workers: judging processes, each with a candidate of its own.
        seconds: wall time; None for no limit. At least one block is judged.
    """
    deadline = time.perf_counter() + (float("inf") if seconds is None else seconds)
    if min(workers, lane.blocks) == 1 or lane.in_process:
        for number in range(lane.blocks):
            yield lane.judge(candidate, number)
            if time.perf_counter() > deadline:
                return
        return
    yield from _side_by_side(lane, min(workers, lane.blocks), deadline)


def _side_by_side(lane: Lane, workers: int, deadline: float) -> Iterator[Tally]:
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _open, (lane,))
    try:
        pending: dict[Future[Tally], int] = {}
        done: dict[int, Tally] = {}
        submitted = handed_over = 0
        while True:
            while submitted < lane.blocks and len(pending) < 2 * workers and time.perf_counter() < deadline:
                pending[pool.submit(_judge, submitted)] = submitted
                submitted += 1
            if not pending:
                return
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                done[pending.pop(future)] = future.result()
            while handed_over in done:
                yield done.pop(handed_over)
                handed_over += 1
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


_OPENED: list[tuple[Lane, Candidate]] = []
"""In a judging process: its one lane and candidate, opened by the pool's initializer."""


def _open(lane: Lane) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the campaign's to handle
    _OPENED.append((lane, lane.open()))


def _judge(number: int) -> Tally:
    lane, candidate = _OPENED[0]
    return lane.judge(candidate, number)
