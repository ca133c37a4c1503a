"""A campaign: many cases put to some backends, within a budget, and the record of it."""

from __future__ import annotations

import os
import platform
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from typing import Final

import ml_dtypes
import numpy as np
from hypothesis.database import ExampleDatabase

from convcheck.campaign.backend_record import backend_record
from convcheck.campaign.counting import counts
from convcheck.campaign.database import forget, remember, remembered
from convcheck.campaign.known_failures import Known, unexpected_passes
from convcheck.campaign.level_counts import level_counts
from convcheck.campaign.options import LEAST_DIAGNOSIS, Options
from convcheck.campaign.sanitizing import check_sanitizer, triage_reports
from convcheck.campaign.scheduler import Job, tallies
from convcheck.execution import Candidate, WorkerStartError
from convcheck.judging.judge import Tally
from convcheck.judging.remembered import can_be_judged
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.coverage import Coverage, from_counts
from convcheck.model.history import write
from convcheck.model.levels import Level, LevelCount
from convcheck.model.origins import Origin
from convcheck.model.reach import ReachCount
from convcheck.model.record import BackendRecord, Count, Finding, Record, by_level
from convcheck.model.verdicts import FAILURES, Status, Verdict
from convcheck.plugin.accelerator import DeviceLostError
from convcheck.plugin.backend import UnavailableError
from convcheck.plugin.registry import resolve
from convcheck.strategies.interactions import interactions
from convcheck.triage.causes import without
from convcheck.triage.findings import triage
from convcheck.triage.triage import Triage, together
from convcheck_reference.selfcheck import self_check

Progress = Callable[[str, int, str], None]
"""Called with the backend, the number of cases done, and what has come of them so far, in words."""


_AFTER_AN_INTERRUPT: Final = 10.0
"""Seconds in which causes are looked for once the cases have been interrupted: whoever does so waits for the report."""


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What became of one backend."""

    backend: BackendRecord
    counts: tuple[Count, ...] = ()
    levels: tuple[LevelCount, ...] = ()
    findings: tuple[Finding, ...] = ()
    reached: tuple[ReachCount, ...] = ()
    coverage: Counter[tuple[str, str]] = field(default_factory=Counter)
    interactions: tuple[Coverage, ...] = ()


def run(
    options: Options,
    *,
    name: str,
    command: str,
    progress: Progress,
    checkpoint: Callable[[Record], None],
    database: ExampleDatabase | None = None,
) -> Record:
    """Judge every backend; an interrupt ends the run and keeps what was done.

    Args:
        options: what to do.
        name: of the run.
        command: the command line that repeats it.
        progress: called after every block, and before causes are looked for.
        checkpoint: called with the record so far, after every backend.
        database: of cases that failed in earlier runs, which come first; None for no memory.

    Raises:
        RegistryError: a backend cannot be loaded.
        SelfCheckError: the two formulations of the reference disagree.
    """
    self_check()
    start = time.perf_counter()
    begun = Record(
        name=name,
        command=command,
        seed=options.seed,
        examples=options.examples,
        cases=0,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        interrupted=False,
        version=version("convcheck"),
        environment=environment(),
        backends=(),
        counts=(),
        levels=(),
        reached=(),
        coverage=(),
        findings=(),
        level=options.level,
        ladder=options.reach,
    )
    parts: list[_Part] = []
    interrupted = False

    def record(*, interrupted: bool) -> Record:
        coverage = sum((part.coverage for part in parts), Counter[tuple[str, str]]())
        return replace(
            begun,
            cases=sum(part.backend.cases for part in parts),
            seconds=time.perf_counter() - start,
            interrupted=interrupted,
            backends=tuple(part.backend for part in parts),
            counts=tuple(count for part in parts for count in part.counts),
            levels=tuple(count for part in parts for count in part.levels),
            reached=tuple(count for part in parts for count in part.reached),
            coverage=(*(row for part in parts for row in part.interactions), *from_counts(coverage)),
            findings=tuple(finding for part in parts for finding in part.findings),
        )

    for spec in options.specs:
        part, interrupted = _judge(spec, options, progress, database)
        parts.append(part)
        checkpoint(record(interrupted=interrupted))
        if interrupted:
            break
    return record(interrupted=interrupted)


def environment() -> dict[str, str]:
    """Versions of what the reference computes with."""
    return {
        "python": sys.version.split()[0],
        "platform": _platform(),
        "processor": platform.machine(),
        "cores": str(os.cpu_count()),
        "numpy": np.__version__,
        "ml_dtypes": ml_dtypes.__version__,
    }


def _platform() -> str:
    """System, release without what its builder calls it, and C library."""
    release = platform.release().partition("-")[0]
    return " ".join(part for part in (platform.system(), release, "-".join(platform.libc_ver())) if part.strip("-"))


def _judge(spec: str, options: Options, progress: Progress, database: ExampleDatabase | None) -> tuple[_Part, bool]:
    """One backend, and whether an interrupt cut it short."""
    options = replace(options, known=tuple(e for e in options.known if e.backend in ("", spec)))
    job = Job(resolve(spec), options, remembered(database, spec, options.dtypes))
    try:
        candidate = job.open()
    except UnavailableError as error:
        reason = str(error)
        count = Count(backend=spec, clause="", status=Status.UNAVAILABLE, reason=reason, cases=0)
        return _Part(backend=BackendRecord(name=spec, spec=job.spec, unavailable=reason), counts=(count,)), False
    begun = time.monotonic()
    tally, interrupted, stopped, found = Tally(), False, list[Finding](), Triage((), ())
    with closing(candidate):
        check_sanitizer(job.spec, options)
        try:
            for block in tallies(job, candidate):
                tally.add(block)
                progress(spec, tally.cases, f"{tally.cases} cases, {len(tally.failures)} failures")
        except KeyboardInterrupt:
            interrupted = True
        except (WorkerStartError, DeviceLostError, BrokenProcessPool) as error:
            stopped.append(_stopped(spec, tally, error))
        if tally.failures:
            progress(spec, tally.cases, f"looking for the causes of {len(tally.failures)} failures")
        start = time.perf_counter()
        seconds = options.diagnosis_seconds
        seconds = max(LEAST_DIAGNOSIS, (time.monotonic() - begun) / 3) if seconds is None else seconds
        seconds = min(seconds, _AFTER_AN_INTERRUPT) if interrupted else seconds
        found = _triaged(spec, job, candidate, tally, time.monotonic() + seconds)
        interrupted = interrupted or found.interrupted
        if isinstance(found.ended_by, Exception):
            stopped.append(_stopped(spec, tally, found.ended_by))
        findings = (*stopped, *found.findings)
        tally.seconds["triage"] += time.perf_counter() - start
        part = _Part(
            backend=backend_record(spec, job, candidate, tally),
            counts=counts(spec, tally, findings, (*([()] * len(stopped)), *found.accounted)),
            levels=level_counts(spec, job.options.known, tally),
            findings=by_level(findings),
            reached=tally.reach.counts(spec),
            coverage=tally.coverage,
            interactions=_interactions(spec, job, candidate, tally),
        )
        _keep(database, spec, job, candidate.capabilities, tally, findings)
    return part, interrupted


def _keep(
    database: ExampleDatabase | None,
    spec: str,
    job: Job,
    capabilities: Capabilities,
    tally: Tally,
    findings: Sequence[Finding],
) -> None:
    """Remember what failed, and forget what was judged and fails no more."""
    passing = set[str]()
    if not job.options.clause and tally.origins[Origin.REMEMBERED]:
        failing = [f for f in tally.failures if f.origin is Origin.REMEMBERED]
        passing = {line for line in job.remembered if can_be_judged(capabilities, line)}
        passing -= {write(f.history) if f.history else f.case.token for f in failing}
    try:
        forget(database, spec, passing)
        remember(database, spec, [f for f in findings if f.status in FAILURES and not f.reproduction.sanitizer])
    except Exception as error:  # noqa: BLE001  (whatever a database may raise, the run is done)
        warnings.warn(f"what failed could not be remembered: {error!r}", RuntimeWarning, stacklevel=1)


def _stopped(spec: str, tally: Tally, error: Exception) -> Finding:
    """The finding that a backend could not be judged to the end."""
    reason = f"the candidate could not be called any more after {tally.cases} cases: {error}"
    clause = "C2D-PURE-3"
    verdict = Verdict("campaign", "call", Status.CRASHED, (clause,), reason)
    return Finding(backend=spec, clause=clause, level=Level.COMPUTES, verdict=verdict)


def _interactions(spec: str, job: Job, candidate: Candidate, tally: Tally) -> tuple[Coverage, ...]:
    """2-way and 3-way coverage of the first thousand legal cases."""
    rows = interactions(tally.classes, candidate.capabilities, job.options.dtypes or None)
    return tuple(replace(row, parameter=f"{row.parameter} of {spec}") for row in rows)


def _triaged(spec: str, job: Job, candidate: Candidate, tally: Tally, until: float) -> Triage:
    """What is found out until a time of `time.monotonic`, or an interrupt, after which nothing is asked."""
    known, options = Known(job.options.known), job.options
    drawn = lru_cache(maxsize=8)(lambda index: job.cases(candidate.capabilities, index))

    def block(index: int) -> Sequence[Case]:
        return tally.searched[index] if index in tally.searched else drawn(index)

    covered = list(known.findings(spec, tally.failures))
    expected = Triage(tuple(finding for finding, _ in covered), tuple(failures for _, failures in covered))
    unknown = [f for f in tally.failures if known.entry(f.case, f.verdict) is None]
    reports = [f for f in unknown if f.origin is Origin.SANITIZED]
    others = without(unknown, reports)
    most = options.diagnosis_calls
    found = triage(candidate, others, block, excluded=known.covers, most_calls=most, until=until)
    passes, reported = list[Finding](), Triage((), (), tuple(reports))
    if found.ended_by is None:
        try:
            reported = triage_reports(
                job.spec, options, reports, block, excluded=known.covers, most_calls=most, until=until
            )
            passes = [] if reported.ended_by else list(unexpected_passes(known, spec, candidate, tally))
        except (KeyboardInterrupt, WorkerStartError, DeviceLostError) as error:
            reported = replace(reported, ended_by=error)
    found = together(found, reported)
    found = replace(found, findings=tuple(replace(finding, backend=spec) for finding in found.findings))
    return together(found, expected, Triage(tuple(passes), ((),) * len(passes)))
