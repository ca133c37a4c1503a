"""A campaign: many cases put to some backends, within a budget, and the record of it.

Everything that a run needs is looked at before the first case is judged: each backend is opened, and the journal and
the reports are begun, which say that the run is unfinished until it has ended.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import ml_dtypes
import numpy as np
from hypothesis.database import ExampleDatabase

from convcheck.campaign.database import remembered
from convcheck.campaign.job import Job
from convcheck.campaign.journal import SCHEMA, Begun, Judged, Opened, append
from convcheck.campaign.one_backend import Progress, judge_backend
from convcheck.campaign.options import Options
from convcheck.campaign.past import Past
from convcheck.campaign.sanitizing import check_sanitizer
from convcheck.campaign.scheduler import nothing_yet
from convcheck.campaign.stopping import Never, Stop
from convcheck.execution import Candidate
from convcheck.model.coverage import from_counts
from convcheck.model.record import BackendRecord, Count, Record
from convcheck.model.stages import Heard, unheard
from convcheck.model.verdicts import Status
from convcheck.plugin.backend import UnavailableError
from convcheck.plugin.backend_spec import file_of
from convcheck.plugin.registry import resolve
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.selfcheck import self_check


class ResumeError(ConvcheckError, ValueError):
    """A run that cannot go on as it was begun."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """A backend that can be judged, or was: `judged` says what became of it, or that it is unavailable."""

    spec: str
    job: Job | None = None
    candidate: Candidate | None = None
    judged: Judged | None = None


def silent(_spec: str, _cases: int, _state: str) -> None:
    """Nobody waits for a run."""


def unchanged(record: Record) -> Record:
    """The record of a run that is kept nowhere."""
    return record


def run(
    options: Options,
    *,
    name: str,
    command: str,
    progress: Progress = silent,
    checkpoint: Callable[[Record], Record] = unchanged,
    found: Heard = unheard,
    database: ExampleDatabase | None = None,
    journal: Path | None = None,
    past: Past | None = None,
    stop: Stop | None = None,
) -> Record:
    """Judge every backend; an interrupt ends the run and keeps what was done.

    Args:
        options: what to do.
        name: of the run.
        command: the command line that repeats it.
        progress: called after every part, and before causes are looked for.
        checkpoint: called with the record so far: before the first case, and after every backend; returns it as it is
            kept.
        found: called with the first failure of each kind as it comes, and each time that more is known of one.
        database: of cases that failed in earlier runs, which come first; None for no memory.
        journal: where what is judged is kept as the run goes on; None for nowhere.
        past: what that journal says was judged already, which is not judged again.
        stop: whether the run is to stop; by default an interrupt says so.

    Raises:
        RegistryError: a backend cannot be loaded.
        JournalError: what is judged cannot be kept.
        ResumeError: a backend is not the one that the run was begun with.
        SelfCheckError: the two formulations of the reference disagree.
    """
    self_check()
    start, stop = time.perf_counter(), stop or Never()
    begun = begun_record(options, name, command, _now() if past is None else past.begun.started)
    parts: list[Judged] = []
    with ExitStack() as opened:
        ready: list[_Ready] = []
        for at, spec in enumerate(options.specs):
            ready.append(each := _opened(at, spec, options, database, journal, past))
            if each.candidate is not None:
                opened.callback(each.candidate.close)
        checkpoint(begun)  # before all: reports of another run may be in the same folder
        if journal is not None and past is None:
            _begin(journal, begun, options, ready)
        interrupted = False
        for number, each in enumerate(ready, 1):
            judged = each.judged
            if judged is None:
                assert each.job is not None
                assert each.candidate is not None
                pasts = nothing_yet if past is None else partial(past.part, each.job.at)
                judged, interrupted = judge_backend(
                    each.spec,
                    each.job,
                    each.candidate,
                    progress=progress,
                    found=found,
                    database=database,
                    stop=stop,
                    pasts=pasts,
                )
                each.candidate.close()
                if journal is not None and not interrupted:
                    append(journal, judged)
            parts.append(judged)
            unfinished = interrupted or number < len(ready)
            record = checkpoint(recorded(begun, parts, seconds=time.perf_counter() - start, interrupted=unfinished))
            if interrupted:
                break
    return record


def begun_record(options: Options, name: str, command: str, started: str) -> Record:
    """The record of a run of which nothing was judged yet."""
    return Record(
        name=name,
        command=command,
        seed=options.seed,
        examples=options.examples,
        cases=0,
        started=started,
        seconds=0.0,
        interrupted=True,
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
        clause=options.clause,
    )


def recorded(begun: Record, parts: Sequence[Judged], *, seconds: float, interrupted: bool) -> Record:
    """The record of a run with what became of its backends."""
    coverage = Counter[tuple[str, str]]()
    for row in (row for part in parts for row in part.coverage):
        coverage[row.parameter, row.value] += row.cases
    return replace(
        begun,
        cases=sum(part.backend.cases for part in parts),
        seconds=seconds,
        interrupted=interrupted,
        backends=tuple(part.backend for part in parts),
        counts=tuple(count for part in parts for count in part.counts),
        levels=tuple(count for part in parts for count in part.levels),
        passes=tuple(count for part in parts for count in part.passes),
        reached=tuple(count for part in parts for count in part.reached),
        coverage=(*(row for part in parts for row in part.interactions), *from_counts(coverage)),
        findings=tuple(finding for part in parts for finding in part.findings),
    )


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


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _opened(
    at: int, spec: str, options: Options, database: ExampleDatabase | None, journal: Path | None, past: Past | None
) -> _Ready:
    """A backend, opened; one that was judged before is not needed any more."""
    if past is not None and at in past.judged:
        return _Ready(spec, judged=past.judged[at])
    options = options.of_backend(spec)
    resolved, before = resolve(spec), None if past is None else past.opened.get(at)
    if before is not None and (before.spec, before.source) != (resolved, _digest(resolved)):
        raise ResumeError(
            f"{spec} is not the backend that the run was begun with: its file, or where it lies, has changed; "
            "begin a new run"
        )
    memory = None if options.examples == 0 else database  # whoever gives the cases wants those
    known = remembered(memory, spec, options.dtypes) if before is None else before.remembered
    job = Job(resolved, options, known, at, journal)
    try:
        candidate = job.open()
    except UnavailableError as error:
        reason = str(error)
        count = Count(backend=spec, clause="", status=Status.UNAVAILABLE, reason=reason, cases=0)
        backend = BackendRecord(name=spec, spec=resolved, unavailable=reason)
        return _Ready(spec, job=job, judged=Judged(at=at, backend=backend, counts=(count,)))
    check_sanitizer(resolved, options)
    return _Ready(spec, job=job, candidate=candidate)


def _begin(journal: Path, begun: Record, options: Options, ready: Sequence[_Ready]) -> None:
    """Begin a journal; another run's, which this one takes the place of, is gone."""
    journal.unlink(missing_ok=True)
    append(
        journal,
        Begun(
            schema=SCHEMA,
            name=begun.name,
            command=begun.command,
            started=begun.started,
            version=begun.version,
            options=options,
        ),
    )
    for each in ready:
        if each.job is not None:
            job = each.job
            append(journal, Opened(at=job.at, spec=job.spec, source=_digest(job.spec), remembered=job.remembered))
        if each.judged is not None:
            append(journal, each.judged)


def _digest(spec: str) -> str:
    """What tells whether the file that a backend comes from is the same."""
    file = file_of(spec)
    try:
        return "" if file is None or not file.is_file() else hashlib.sha256(file.read_bytes()).hexdigest()
    except (OSError, ValueError):
        return ""
