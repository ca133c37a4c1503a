"""The record of a run that has not ended, from its journal alone: nothing is called, and no cause is looked for."""

from __future__ import annotations

from convcheck.campaign.backend_record import origins
from convcheck.campaign.campaign import begun_record, recorded
from convcheck.campaign.counting import counts
from convcheck.campaign.gathering import Gathered
from convcheck.campaign.journal import Judged, Opened
from convcheck.campaign.known_failures import Known
from convcheck.campaign.level_counts import level_counts
from convcheck.campaign.past import Past
from convcheck.model.coverage import from_counts
from convcheck.model.record import PARTS_OF_TIME, BackendRecord, Record, by_level
from convcheck.triage.triage import Triage, together
from convcheck.triage.unexamined import unexamined


def unfinished_record(past: Past) -> Record:
    """What was judged until now, with one failure of each kind as it came.

    Args:
        past: the journal of the run.

    Raises:
        RecordError: a line of it is none; the message names line and field.
    """
    begun = past.begun
    record = begun_record(begun.options, begun.name, begun.command, begun.started)
    parts = [past.judged.get(at) or _judged(past, opened) for at, opened in sorted(past.opened.items())]
    return recorded(record, parts, seconds=0.0, interrupted=True)


def _judged(past: Past, opened: Opened) -> Judged:
    options = past.begun.options
    spec = options.specs[opened.at]
    known = Known(tuple(entry for entry in options.known if entry.backend in ("", spec)))
    gathered = Gathered(spec, known)
    for part in past.numbers(opened.at):
        gathered.add(past.part(opened.at, part).tally)
    tally, covered = gathered.tally, list(known.findings(spec, gathered.tally.failures, gathered.beyond.known))
    expected = Triage(tuple(finding for finding, _ in covered), tuple(failures for _, failures in covered))
    found = unexamined(spec, [f for f in tally.failures if known.entry(f.case, f.verdict) is None])
    found = together(found, expected)
    backend = BackendRecord(
        name=spec,
        spec=opened.spec,
        cases=tally.cases,
        origins=origins(gathered),
        margins=dict(sorted(tally.margins.items())),
        right_calls=dict(sorted(tally.calls.items())),
        seconds={part: tally.seconds[part] for part in PARTS_OF_TIME},
    )
    return Judged(
        at=opened.at,
        backend=backend,
        counts=counts(spec, tally, found.findings, found.accounted, gathered.beyond.rows),
        levels=level_counts(spec, known.entries, tally, gathered.beyond.levels),
        findings=by_level(found.findings),
        reached=tally.reach.counts(spec),
        coverage=from_counts(tally.coverage),
    )
