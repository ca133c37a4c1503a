"""The record of a run, ended or not, as the commands that show one read it."""

from __future__ import annotations

from pathlib import Path

from convcheck.campaign.journal import JOURNAL
from convcheck.campaign.past import Past
from convcheck.campaign.unfinished import unfinished_record
from convcheck.model.record import Record
from convcheck.report import read_record


def record_of(path: Path) -> Record:
    """The record of a run's folder, or of its findings.jsonl; of a run that has not ended, what its journal has.

    Raises:
        RecordError: there is none, or it cannot be read.
    """
    journal = path / JOURNAL
    record = read_record(path)
    return unfinished_record(Past(journal)) if record.interrupted and journal.is_file() else record
