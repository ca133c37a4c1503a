"""The table of what is guaranteed of untrusted candidates, and by what."""

from __future__ import annotations

from typing import Final

from convcheck.model.record import Record
from convcheck.report.tables import Style, one_line, table

GUARANTEES_HEADERS: Final = ("backend", "guarantee", "holds", "the candidate", "by, or why not")


def guarantees_rows(record: Record) -> list[tuple[str, ...]]:
    """A row for each guarantee of each backend; none for a run that trusted all of them."""
    return [
        (backend.name, guarantee.name, "yes" if guarantee.holds else "NO", guarantee.what, guarantee.by)
        for backend in record.backends
        for guarantee in backend.guarantees
    ]


def guarantees_table(record: Record, style: Style) -> str:
    """The rows as a table; empty without any."""
    rows = guarantees_rows(record)
    return table(GUARANTEES_HEADERS, rows, style) if rows else ""


def broken_line(record: Record) -> str:
    """Which guarantees do not hold; empty where all do, or none was asked for."""
    missing = dict.fromkeys(
        one_line(g.name, "text") for backend in record.backends for g in backend.guarantees if not g.holds
    )
    return f"NOT GUARANTEED on this machine: {', '.join(missing)}; the report says why." if missing else ""
