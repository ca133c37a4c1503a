"""A badge, as the endpoint of shields.io takes it: how the run ended, up to the level that was asked for."""

from __future__ import annotations

import json

from convcheck.model.levels import LAST
from convcheck.model.record import Record
from convcheck.report.tables import counted


def badge(record: Record) -> str:
    """The JSON document (https://shields.io/badges/endpoint-badge)."""
    findings = len(record.decisive_findings)
    if record.interrupted:
        message, color = "unfinished", "lightgrey"
    elif findings or record.undecided:
        message = counted(findings, "finding") if findings else counted(record.undecided, "failing case")
        color = "red"
    else:
        message, color = ("conforms", "brightgreen") if record.conforms else ("nothing judged", "lightgrey")
    label = f"convcheck {record.clause}".rstrip()
    label += "" if record.level is LAST else f" up to {record.level.label}"
    shown = {"schemaVersion": 1, "label": label, "message": message, "color": color}
    return json.dumps(shown, indent=2) + "\n"
