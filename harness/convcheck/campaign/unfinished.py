"""The record of a run that has not ended, from its journal alone: nothing is called, and no cause is looked for."""

from __future__ import annotations

from convcheck.campaign.backend_record import origins
from convcheck.campaign.campaign import begun_record, recorded
from convcheck.campaign.gathering import Gathered
from convcheck.campaign.journal import Judged, Opened
from convcheck.campaign.known_failures import Known
from convcheck.campaign.outcome import counted, expected, unknown
from convcheck.campaign.past import Past
from convcheck.model.record import PARTS_OF_TIME, BackendRecord, Record
from convcheck.triage.triage import together
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
    gathered = Gathered(spec, Known(options.of_backend(spec).known))
    for part in past.numbers(opened.at):
        gathered.add(past.part(opened.at, part).tally)
    tally = gathered.tally
    backend = BackendRecord(
        name=spec,
        spec=opened.spec,
        cases=tally.cases,
        origins=origins(gathered),
        margins=dict(sorted(tally.margins.items())),
        right_calls=dict(sorted(tally.calls.items())),
        seconds={part: tally.seconds[part] for part in PARTS_OF_TIME},
    )
    found = together(unexamined(spec, unknown(gathered)), expected(gathered))
    return counted(opened.at, backend, gathered, found)
