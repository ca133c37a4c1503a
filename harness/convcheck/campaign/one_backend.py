"""One backend of a campaign: its parts are judged, what failed is looked into, and all of it is counted."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import lru_cache

from hypothesis.database import ExampleDatabase

from convcheck.campaign.backend_record import backend_record
from convcheck.campaign.database import forget, remember
from convcheck.campaign.gathering import Gathered
from convcheck.campaign.job import GONE, Job
from convcheck.campaign.journal import Judged
from convcheck.campaign.known_failures import Known, unexpected_passes
from convcheck.campaign.options import LEAST_DIAGNOSIS
from convcheck.campaign.outcome import counted, expected, unknown
from convcheck.campaign.sanitizing import triage_reports
from convcheck.campaign.scheduler import Pasts, tallies
from convcheck.campaign.stopping import CAUSES, Stop
from convcheck.execution import Candidate
from convcheck.judging.remembered import can_be_judged
from convcheck.judging.tally import Failure, Tally
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.coverage import Coverage
from convcheck.model.history import write
from convcheck.model.levels import Level
from convcheck.model.origins import Origin
from convcheck.model.record import Finding
from convcheck.model.stages import Heard, Stage, unheard
from convcheck.model.verdicts import FAILURES, Status, Verdict
from convcheck.strategies.interactions import interactions
from convcheck.triage.causes import without
from convcheck.triage.findings import triage
from convcheck.triage.priority import Group
from convcheck.triage.triage import Triage, together
from convcheck.triage.unexamined import unexamined

Progress = Callable[[str, int, str], None]
"""Called with the backend, the number of cases done, and what has come of them so far, in words."""


def judge_backend(
    spec: str,
    job: Job,
    candidate: Candidate,
    *,
    progress: Progress,
    found: Heard = unheard,
    database: ExampleDatabase | None,
    stop: Stop,
    pasts: Pasts,
) -> tuple[Judged, bool]:
    """What becomes of one backend, and whether an interrupt cut it short.

    Args:
        spec: as it was asked for.
        job: what to judge.
        candidate: of the job; the caller closes it.
        progress: called after every part, and before causes are looked for.
        found: called with the first failure of each kind, and each time that more is known of one.
        database: what failed is remembered there.
        stop: whether the run is to stop.
        pasts: what was judged of a part before.

    Raises:
        JournalError: what is judged cannot be kept.
    """
    options, begun = job.options, time.monotonic()
    gathered, interrupted, stopped = Gathered(spec, Known(options.known)), False, list[Finding]()
    kinds = set[Group]()
    tally = gathered.tally
    try:
        for part in tallies(job, candidate, stop, pasts):
            gathered.add(part)
            for new in _of_new_kinds(gathered, part.failures, kinds):
                found(Stage.SEEN, new)
            progress(spec, tally.cases, f"{tally.cases} cases, {gathered.failing} failures")
    except KeyboardInterrupt:
        interrupted = True
    except (*GONE, BrokenProcessPool) as error:
        stopped.append(_stopped(spec, job, tally, error))
    if tally.failures:
        progress(spec, tally.cases, f"looking for the causes of {gathered.failing} failures")
    start, seconds = time.perf_counter(), options.diagnosis_seconds
    seconds = max(LEAST_DIAGNOSIS, (time.monotonic() - begun) / 3) if seconds is None else seconds
    if interrupted:
        stop.hurry(CAUSES)
        seconds = min(seconds, CAUSES)
    causes = _triaged(spec, job, candidate, gathered, time.monotonic() + seconds, found)
    stop.hurry(0)
    interrupted = interrupted or causes.interrupted
    if isinstance(causes.ended_by, Exception):
        stopped.append(_stopped(spec, job, tally, causes.ended_by))
    causes = together(Triage(tuple(stopped), ((),) * len(stopped)), causes)
    tally.seconds["triage"] += time.perf_counter() - start
    backend, interactions = backend_record(spec, job, candidate, gathered), _interactions(spec, job, candidate, tally)
    _keep(database, spec, job, candidate.capabilities, tally, causes.findings)
    return counted(job.at, backend, gathered, causes, interactions), interrupted


def _of_new_kinds(gathered: Gathered, failures: Sequence[Failure], kinds: set[Group]) -> Iterator[Finding]:
    """The simplest failure of each kind that was not met before, known ones left out; `kinds` is kept up to date."""
    some = [f for f in failures if Group.of(f) not in kinds and gathered.entries.entry(f.case, f.verdict) is None]
    kinds.update(Group.of(failure) for failure in some)
    yield from unexamined(gathered.spec, some).findings


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
    if not job.options.clause and tally.origins[Origin.REMEMBERED] >= len(job.remembered):
        failing = [f for f in tally.failures if f.origin is Origin.REMEMBERED]
        passing = {line for line in job.remembered if can_be_judged(capabilities, line)}
        passing -= {write(f.history) if f.history else f.case.token for f in failing}
    try:
        forget(database, spec, passing)
        remember(database, spec, [f for f in findings if f.status in FAILURES and not f.reproduction.sanitizer])
    except Exception as error:  # noqa: BLE001  (whatever a database may raise, the run is done)
        warnings.warn(f"what failed could not be remembered: {error!r}", RuntimeWarning, stacklevel=1)


def _stopped(spec: str, job: Job, tally: Tally, error: Exception) -> Finding:
    """The finding that a backend could not be judged to the end."""
    left = "" if job.size is None or job.size <= tally.cases else f"; {job.size - tally.cases} cases were not asked"
    reason = f"the candidate could not be called any more after {tally.cases} cases: {error}{left}"
    clause = "C2D-PURE-3"
    verdict = Verdict("campaign", "call", Status.CRASHED, (clause,), reason)
    return Finding(backend=spec, clause=clause, level=Level.COMPUTES, verdict=verdict)


def _interactions(spec: str, job: Job, candidate: Candidate, tally: Tally) -> tuple[Coverage, ...]:
    """2-way and 3-way coverage of the first thousand legal cases."""
    rows = interactions(tally.classes, candidate.capabilities, job.options.dtypes or None)
    return tuple(replace(row, parameter=f"{row.parameter} of {spec}") for row in rows)


def _triaged(spec: str, job: Job, candidate: Candidate, gathered: Gathered, until: float, heard: Heard) -> Triage:
    """What is found out until a time of `time.monotonic`, or an interrupt, after which nothing is asked."""
    known, options, tally = gathered.entries, job.options, gathered.tally
    drawn = lru_cache(maxsize=8)(lambda index: job.cases(candidate.capabilities, index))

    def block(index: int) -> Sequence[Case]:
        return tally.searched[index] if index in tally.searched else drawn(index)

    failures = unknown(gathered)
    reports = [f for f in failures if f.origin is Origin.SANITIZED]
    others = without(failures, reports)
    most = options.diagnosis_calls
    found = triage(
        candidate,
        others,
        block,
        excluded=known.covers,
        most_calls=most,
        until=until,
        heard=lambda stage, finding: heard(stage, replace(finding, backend=spec)),
    )
    passes, reported = list[Finding](), Triage((), (), tuple(reports))
    if found.ended_by is None:
        try:
            reported = triage_reports(
                job.spec, options, reports, block, excluded=known.covers, most_calls=most, until=until
            )
            passes = [] if reported.ended_by else list(unexpected_passes(known, spec, candidate, tally))
        except (KeyboardInterrupt, *GONE) as error:
            reported = replace(reported, ended_by=error)
    found = together(found, reported)
    found = replace(found, findings=tuple(replace(finding, backend=spec) for finding in found.findings))
    return together(found, expected(gathered), Triage(tuple(passes), ((),) * len(passes)))
