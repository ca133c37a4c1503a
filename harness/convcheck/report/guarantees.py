"""The table of what is guaranteed of untrusted candidates, and by what."""

from __future__ import annotations

from convcheck.model.record import Record
from convcheck.report.tables import Style, one_line, table


def guarantees_table(record: Record, style: Style) -> str:
    """A line for each guarantee of each backend; empty for a run that trusted all of them."""
    rows = [
        [backend.name, guarantee.name, "yes" if guarantee.holds else "NO", guarantee.what, guarantee.by]
        for backend in record.backends
        for guarantee in backend.guarantees
    ]
    return table(["backend", "guarantee", "holds", "the candidate", "by, or why not"], rows, style) if rows else ""


def broken_line(record: Record) -> str:
    """Which guarantees do not hold; empty where all do, or none was asked for."""
    missing = dict.fromkeys(
        one_line(g.name, "text") for backend in record.backends for g in backend.guarantees if not g.holds
    )
    return f"NOT GUARANTEED on this machine: {', '.join(missing)}; the report says why." if missing else ""
