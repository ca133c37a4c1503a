"""The matrix as Markdown: a table for each level, whose cells lead to the findings below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from convcheck.model.levels import Level
from convcheck.model.matrix import STATES, Cell, Engine, Entry, Matrix
from convcheck.report.compatibility.words import (
    cell_words,
    clauses_by_level,
    engine_state,
    level_title,
    level_words,
    summary_words,
)
from convcheck.report.replaying import replay_command
from convcheck.report.sentence import sentence_of
from convcheck.report.tables import columns, definitions, fenced, markdown_cell, one_line, wrapped
from convcheck_reference.clauses import clause

_HEADERS: Final = ("engine", "state", "cases", "versions", "run")


def matrix_markdown(matrix: Matrix) -> str:
    """The page."""
    parts = [
        "# Compatibility matrix",
        wrapped(one_line(summary_words(matrix), "markdown"), "markdown"),
        *(_judged(matrix) if matrix.judged else ()),
        "## Engines",
        _table([_HEADERS, *(_engine(e, label) for e, label in zip(matrix.engines, matrix.labels, strict=True))]),
        "## Findings",
        *(map(_finding, matrix.findings) if matrix.findings else ("None.",)),
    ]
    return "\n\n".join(parts) + "\n"


def _table(rows: Sequence[Sequence[object]]) -> str:
    return columns([[markdown_cell(value) for value in row] for row in rows], "markdown")


def _engine(engine: Engine, label: str) -> Sequence[object]:
    versions = ", ".join(f"{name} {value}" for name, value in engine.versions.items())
    run = f"{engine.run}, {engine.started.partition('T')[0]}, seed {engine.seed}"
    return label, engine_state(engine), engine.cases, versions, run


def _judged(matrix: Matrix) -> Iterator[str]:
    labels = [label for e, label in zip(matrix.engines, matrix.labels, strict=True) if not e.unavailable]
    levels = [
        (level.label, *(level_words(cell) for e in matrix.judged for cell in e.levels if cell.level is level))
        for level in Level
    ]
    yield "## Levels"
    yield _table([("level", *labels), *levels])
    yield definitions([(str(state), words) for state, words in STATES.items()], "markdown")
    by_clause = [{cell.clause: cell for cell in engine.cells} for engine in matrix.judged]
    for level, names in clauses_by_level(matrix).items():
        yield f"## {one_line(level_title(matrix, level), 'markdown')}"
        head = [*map(markdown_cell, ("clause", "title", *labels))]
        rows = [[name, clause(name).title, *(_cell(cells[name]) for cells in by_clause)] for name in names]
        yield columns([head, *rows], "markdown")


def _cell(cell: Cell) -> str:
    links = " ".join(f"[{number}](#finding-{number})" for number in cell.findings)
    return f"{markdown_cell(cell_words(cell))} {links}".rstrip()


def _finding(entry: Entry) -> str:
    finding = entry.finding
    about = f"{entry.engine}: {finding.level.label}, {finding.clause}, {finding.status}; finding {entry.place} of "
    about += f"{entry.run}."
    command = replay_command(finding)
    parts = [
        f"### Finding {entry.number}",
        wrapped(one_line(about, "markdown"), "markdown"),
        wrapped(sentence_of(finding).statement("markdown"), "markdown"),
        *([fenced(command, "sh")] if command else []),
    ]
    return "\n\n".join(parts)
