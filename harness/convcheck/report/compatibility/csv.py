"""The matrix as CSV (RFC 4180): a row for each engine and clause, and below it one for each dtype and pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from convcheck.model.levels import level_of_clause
from convcheck.model.matrix import Engine, Matrix
from convcheck.report.finding_facts import Fact
from convcheck.report.findings_csv import csv_text
from convcheck_reference.clauses import clause

_COLUMNS: Final = (
    *("engine", "version", "run", "level", "clause", "title", "dtype", "pass"),
    *("state", "cases", "wrong", "reason", "findings"),
)


def matrix_csv(matrix: Matrix) -> str:
    """The table, with a header; a row without dtype and pass is about the clause as a whole."""
    rows = [row for engine in matrix.engines for row in _rows(engine)]
    return csv_text(_COLUMNS, rows)


def _rows(engine: Engine) -> Iterator[dict[str, Fact]]:
    about: dict[str, Fact] = {"engine": engine.name, "version": engine.version, "run": engine.run}
    if engine.unavailable:
        yield {**about, "state": "unavailable", "reason": engine.unavailable}
    for cell in engine.cells:
        of = {**about, "level": str(level_of_clause(cell.clause)), "clause": cell.clause}
        of["title"] = clause(cell.clause).title
        yield {
            **of,
            "state": str(cell.state),
            "cases": cell.cases,
            "wrong": cell.wrong,
            "reason": cell.reason,
            "findings": " ".join(map(str, cell.findings)),
        }
        for each in cell.passes:
            yield {
                **of,
                "dtype": each.dtype,
                "pass": str(each.of_pass),
                "state": str(each.state),
                "cases": each.right + each.wrong,
                "wrong": each.wrong,
            }
