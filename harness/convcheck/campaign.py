"""A campaign: many cases put to some backends, within a budget, and the record of it."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from multiprocessing import get_context

import ml_dtypes
import numpy as np

from convcheck.backend import UnavailableError
from convcheck.capabilities import Capabilities
from convcheck.case import Case
from convcheck.execution import Candidate, Host, IsolatedCandidate
from convcheck.execution.isolated import CALL_LIMIT
from convcheck.execution.judging import Tally, judge_block
from convcheck.execution.launch import trusted, untrusted
from convcheck.findings.collect import collect
from convcheck.known_failures import KnownFailure, apply_known_failures
from convcheck.profiles import QUANTITIES
from convcheck.record import BackendRecord, Count, Coverage, Finding, Record
from convcheck.registry import load, resolve
from convcheck.strategies import cases, generate
from convcheck.strategies.coverage import from_counts
from convcheck.verdicts import Status
from convcheck_reference.selfcheck import self_check

BLOCK = 250
"""Cases that one worker judges at a time."""

Progress = Callable[[str, int, int], None]
"""Called with the backend, the number of cases done and the number of failures."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a campaign is asked to do.

    Attributes:
        specs: the backends, as `convcheck.registry.load` takes them.
        examples: cases for each backend; None for as many as `seconds` allow.
        seconds: wall time for each backend; None for no limit.
        seed: of the generator.
        dtypes: restricts the dtypes; empty for those that a backend declares, complex ones excepted.
        clause: restricts the verdicts to one clause; empty for all.
        workers: judging processes, each with a candidate process of its own.
        in_process: the candidate runs in this process, for debuggers.
        untrusted: the candidate may have been written to pass: its process is cut off from the judge, and
            what it calls is watched.
        limit: seconds that a call may take.
        known: known failures by backend name.
    """

    specs: tuple[str, ...]
    examples: int | None = 1000
    seconds: float | None = None
    seed: int = 0
    dtypes: tuple[str, ...] = ()
    clause: str = ""
    workers: int = 1
    in_process: bool = False
    untrusted: bool = False
    limit: float = CALL_LIMIT
    known: tuple[KnownFailure, ...] = ()


@dataclass(frozen=True)
class _Lane:
    """What a judging process needs for every block of one backend."""

    spec: str
    options: Options

    def open(self) -> Candidate:
        if self.options.in_process:
            return Host(lambda: load(self.spec))
        return IsolatedCandidate(self.spec, self.options.limit, untrusted if self.options.untrusted else trusted)

    def block(self, capabilities: Capabilities, number: int) -> tuple[Case, ...]:
        size = BLOCK
        if self.options.examples is not None:
            size = min(BLOCK, self.options.examples - number * BLOCK)
        strategy = cases(capabilities, self.options.dtypes or None)
        return generate(strategy, run_seed=self.options.seed, block=number, size=size)


def run(
    options: Options, *, name: str, command: str, progress: Progress, checkpoint: Callable[[Record], None]
) -> Record:
    """Judge every backend; an interrupt ends the run and keeps what was done.

    Args:
        options: what to do.
        name: of the run.
        command: the command line that repeats it.
        progress: called after every block.
        checkpoint: called with the record so far, after every backend.

    Raises:
        RegistryError: a backend cannot be loaded.
        SelfCheckError: the two formulations of the reference disagree.
    """
    self_check()
    start, started = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    backends: list[BackendRecord] = []
    counts: list[Count] = []
    findings: list[Finding] = []
    coverage: Counter[tuple[str, str]] = Counter()
    generated, interrupted = 0, False

    def record() -> Record:
        rows: tuple[Coverage, ...] = from_counts(coverage)
        return Record(
            name=name,
            command=command,
            seed=options.seed,
            examples=options.examples,
            cases=generated,
            started=started,
            seconds=time.perf_counter() - start,
            interrupted=interrupted,
            version=version("convcheck"),
            environment=environment(),
            backends=tuple(backends),
            counts=tuple(counts),
            coverage=rows,
            findings=tuple(findings),
        )

    for spec in options.specs:
        lane = _Lane(resolve(spec), options)
        try:
            candidate = lane.open()
        except UnavailableError as error:
            backends.append(BackendRecord(name=spec, spec=spec, unavailable=str(error)))
            counts.append(Count(backend=spec, clause="", status=Status.UNAVAILABLE, reason=str(error), cases=0))
            checkpoint(record())
            continue
        tally = Tally()
        found: tuple[Finding, ...] = ()
        try:
            _judge(lane, candidate, tally, progress)
        except KeyboardInterrupt:
            interrupted = True
        if not interrupted or tally.failures:
            block = lru_cache(maxsize=8)(lambda number: lane.block(candidate.capabilities, number))  # noqa: B023
            found = collect(candidate, tally.failures, block)
        found = tuple(replace(f, backend=spec) for f in found)
        backends.append(_backend_record(spec, candidate, tally))
        candidate.close()
        known = tuple(entry for entry in options.known if entry.backend in ("", spec))
        new_counts, found = apply_known_failures(_counts(spec, tally, found), found, known, spec)
        counts += new_counts
        findings += found
        coverage.update(tally.coverage)
        generated += tally.cases
        checkpoint(record())
        if interrupted:
            break
    return record()


def environment() -> dict[str, str]:
    """Versions of what the reference computes with."""
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processor": platform.machine(),
        "cores": str(os.cpu_count()),
        "numpy": np.__version__,
        "ml_dtypes": ml_dtypes.__version__,
    }


def _judge(lane: _Lane, candidate: Candidate, tally: Tally, progress: Progress) -> None:
    """Judge blocks until the budget is spent; the tally is in the order of the blocks."""
    options = lane.options
    blocks = -(-options.examples // BLOCK) if options.examples is not None else sys.maxsize
    deadline = time.perf_counter() + (options.seconds or float("inf"))
    if options.workers == 1 or options.in_process or blocks == 1:
        for number in range(blocks):
            _add(lane, tally, _judge_one(lane, candidate, number), progress)
            if time.perf_counter() > deadline:
                return
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(options.workers, context, _open_lane, (lane,)) as pool:
        pending: dict[Future[Tally], int] = {}
        done: dict[int, Tally] = {}
        next_block = merged = 0
        try:
            while True:
                while next_block < blocks and len(pending) < 2 * options.workers and time.perf_counter() < deadline:
                    pending[pool.submit(_judge_in_lane, next_block)] = next_block
                    next_block += 1
                if not pending:
                    return
                finished, _ = wait(pending, return_when=FIRST_COMPLETED)
                for future in finished:
                    done[pending.pop(future)] = future.result()
                while merged in done:
                    _add(lane, tally, done.pop(merged), progress)
                    merged += 1
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _judge_one(lane: _Lane, candidate: Candidate, number: int) -> Tally:
    start = time.perf_counter()
    block = lane.block(candidate.capabilities, number)
    generating = time.perf_counter() - start
    tally = judge_block(candidate, block, number, lane.options.clause or None)
    tally.seconds["generation"] += generating
    return tally


def _add(lane: _Lane, tally: Tally, block: Tally, progress: Progress) -> None:
    tally.add(block)
    progress(lane.spec, tally.cases, len(tally.failures))


_OPENED: list[tuple[_Lane, Candidate]] = []
"""In a judging process: its one lane and candidate, opened by the pool's initializer."""


def _open_lane(lane: _Lane) -> None:
    _OPENED.append((lane, lane.open()))


def _judge_in_lane(number: int) -> Tally:
    lane, candidate = _OPENED[0]
    return _judge_one(lane, candidate, number)


def _backend_record(spec: str, candidate: Candidate, tally: Tally) -> BackendRecord:
    capabilities = candidate.capabilities
    return BackendRecord(
        name=spec,
        spec=spec,
        cases=tally.cases,
        versions=dict(candidate.versions),
        profiles={
            f"{dtype} {quantity}": capabilities.profile(dtype, quantity).name
            for dtype in capabilities.dtypes
            for quantity in QUANTITIES
            if capabilities.supports_quantity(quantity)
        },
        margins=dict(sorted(tally.margins.items())),
        seconds=dict(tally.seconds),
    )


def _counts(spec: str, tally: Tally, findings: Sequence[Finding]) -> tuple[Count, ...]:
    rows = Counter(tally.counts)
    for finding in findings:
        rows[finding.clause, finding.status, finding.reason] += finding.hits
    return tuple(
        Count(backend=spec, clause=clause, status=status, reason=reason, cases=cases)
        for (clause, status, reason), cases in sorted(rows.items())
    )
