"""A record as Rich shows it in a terminal: coloured, and no wider than that is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.box import SIMPLE
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from convcheck.model.record import Finding, Record
from convcheck.report.levels import HEADERS, opening, rows
from convcheck.report.sentence import finding_sentence
from convcheck.report.summary import verdict
from convcheck.report.tables import one_line, printable

_STYLES: Final = {"pass": "green", "fail": "bold red", "unexpected pass": "bold red"}


def in_terminal(record: Record) -> Iterator[RenderableType]:
    """Where each backend stands, every finding in a sentence, and the verdict."""
    yield Text(printable(opening(record)))
    yield _levels(record)
    for number, finding in enumerate(record.findings, 1):
        yield _finding(number, finding)
    yield Text(printable(verdict(record)), "bold green" if record.conforms else "bold red")


def _levels(record: Record) -> Table:
    found = rows(record)
    first = 0 if len({backend.name for backend, *_ in found}) > 1 else 1  # one backend is named above
    table = Table(box=SIMPLE)
    for header in HEADERS[first:]:
        table.add_column(header, no_wrap=header in ("level", "verdict"))
    for backend, s, said, besides in found:
        numbers = map(str, (s.findings, s.failures, s.passed, s.known))
        shown = (backend.name, s.level.label, said, *numbers, besides)[first:]
        table.add_row(*(Text(one_line(cell, "text"), _STYLES.get(cell, "")) for cell in shown))
    return table


def _finding(number: int, finding: Finding) -> Text:
    return Text(f"{number}. {finding.level.label}: {finding_sentence(finding)}")
