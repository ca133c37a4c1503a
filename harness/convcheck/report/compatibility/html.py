"""The matrix as one self-contained page: a table for each level, every cell leads to its findings below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from convcheck.model.levels import Level
from convcheck.model.matrix import STATES, Cell, Entry, LevelCell, Matrix, State
from convcheck.report.compatibility.words import (
    cell_words,
    clauses_by_level,
    engine_state,
    level_title,
    level_words,
    pass_words,
    summary_words,
)
from convcheck.report.html import policy
from convcheck.report.shown_finding import ILLUSTRATED, ShownFinding, shown
from convcheck.report.tables import printable
from convcheck.report.templating import environment
from convcheck_reference.clauses import clause

_MARKS: Final = {
    State.PASS: "pass",
    State.FAIL: "bad",
    State.OUTDATED: "bad",
    State.BEYOND: "amber",
    State.KNOWN: "amber",
    State.ELSEWHERE: "amber",
    State.NOT_APPLICABLE: "none",
    State.NOT_JUDGED: "none",
}
"""Classes of the page's style."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell: its words and mark, the finding that it leads to, what is folded, and a hint."""

    words: str
    mark: str
    findings: Sequence[int] = ()
    folded: Sequence[tuple[str, str]] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    """A clause: id, title and text, its cells, and how alike these are: "same", "differs" or "fails"."""

    id: str
    title: str
    text: str
    cells: Sequence[_Cell]
    kinds: str


@dataclass(frozen=True, slots=True)
class _Table:
    """The clauses of a level."""

    level: Level
    title: str
    rows: Sequence[_Row]


def matrix_html(matrix: Matrix) -> str:
    """The page; it fetches nothing, and runs nothing but the script of its own that its policy names."""
    templates = environment()
    script = templates.get_template("page.js").render()
    ran = [
        (engine, label) for engine, label in zip(matrix.engines, matrix.labels, strict=True) if not engine.unavailable
    ]
    page = templates.get_template("matrix.html.j2").render(
        matrix=matrix,
        summary=summary_words(matrix),
        states=[(state, _MARKS[state], words) for state, words in STATES.items()],
        labels=[label for _, label in ran],
        engines=[(label, e, engine_state(e)) for e, label in zip(matrix.engines, matrix.labels, strict=True)],
        levels=list(_levels(matrix)),
        tables=list(_tables(matrix)),
        findings=[_finding(entry) for entry in matrix.findings],
        illustrated=ILLUSTRATED,
        script=Markup(script),  # noqa: S704  (our own)
        policy=policy(script),
    )
    return printable(page)


def _levels(matrix: Matrix) -> Iterator[tuple[Level, str, Sequence[_Cell]]]:
    for level in Level:
        cells = [_of_level(cell) for engine in matrix.judged for cell in engine.levels if cell.level is level]
        yield level, level_title(matrix, level), cells


def _of_level(cell: LevelCell) -> _Cell:
    return _Cell(level_words(cell), _MARKS[cell.state], cell.findings)


def _tables(matrix: Matrix) -> Iterator[_Table]:
    by_clause = [{cell.clause: cell for cell in engine.cells} for engine in matrix.judged]
    for level, names in clauses_by_level(matrix).items():
        rows = [_row(name, [cells[name] for cells in by_clause]) for name in names]
        yield _Table(level, level_title(matrix, level), rows)


def _row(name: str, cells: Sequence[Cell]) -> _Row:
    about, states = clause(name), {cell.state for cell in cells}
    kinds = ["fails"] if states & {State.FAIL, State.OUTDATED, State.BEYOND, State.KNOWN} else []
    kinds += ["differs"] if len(states) > 1 else []
    return _Row(name, about.title, about.text, [_shown(cell) for cell in cells], " ".join(kinds))


def _shown(cell: Cell) -> _Cell:
    folded = [(pass_words(each), _MARKS[each.state]) for each in cell.passes]
    return _Cell(cell_words(cell), _MARKS[cell.state], cell.findings, folded, cell.reason)


def _finding(entry: Entry) -> tuple[Entry, ShownFinding, str]:
    besides = f"{entry.engine}; finding {entry.place} of the run {entry.run}"
    return entry, shown(entry.finding, illustrated=entry.number <= ILLUSTRATED), besides
