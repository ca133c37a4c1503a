"""The report as one self-contained page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from convcheck.model.record import Record
from convcheck.report.levels import sentences
from convcheck.report.sections import Cell, Section, levels_section, sections
from convcheck.report.shown_finding import ILLUSTRATED, shown
from convcheck.report.summary import verdict
from convcheck.report.tables import printable
from convcheck.report.templating import environment


def html(record: Record) -> str:
    """The page; it fetches nothing, and runs nothing but the script of its own that its policy names."""
    templates = environment()
    script = templates.get_template("page.js").render()
    page = templates.get_template("index.html.j2").render(
        record=record,
        opening=sentences(record),
        verdict=verdict(record),
        levels=_shown(levels_section(record)),
        sections=[_shown(section) for section in sections(record)],
        findings=[shown(f, illustrated=number < ILLUSTRATED) for number, f in enumerate(record.findings)],
        illustrated=ILLUSTRATED,
        script=Markup(script),  # noqa: S704  (our own)
        policy=policy(script),
    )
    return printable(page)


@dataclass(frozen=True, slots=True)
class _Table:
    """A section as the page shows it: its rows below the backend that they are of, where that has several."""

    section: Section
    headers: Sequence[Cell]
    groups: Sequence[tuple[str, Sequence[Sequence[Cell]]]]


def _shown(section: Section) -> _Table:
    by_backend = [(str(name), list(some)) for name, some in groupby(section.rows, key=lambda row: str(row[0]))]
    if section.headers[0] != "backend" or len(by_backend) == len(section.rows):
        return _Table(section, _row(section.headers, 0), [("", _cells(section.rows, 0))])
    return _Table(section, _row(section.headers, 1), [(name, _cells(some, 1)) for name, some in by_backend])


def _cells(rows: Sequence[Sequence[object]], first: int) -> Sequence[Sequence[Cell]]:
    return [_row(row, first) for row in rows]


def _row(row: Sequence[object], first: int) -> Sequence[Cell]:
    return [value if isinstance(value, Cell) else Cell(value) for value in row[first:]]


def policy(script: str) -> str:
    """What the page may do: show its own style, and run this script; no other, whatever the record says."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
