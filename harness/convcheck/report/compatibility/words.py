"""What cells of the matrix say, in the same words in every form."""

from __future__ import annotations

from typing import Final

from convcheck.model.levels import MEANINGS, Level, level_of_clause
from convcheck.model.matrix import Cell, Engine, LevelCell, Matrix, PassCell, State
from convcheck.report.tables import counted

_COUNTED: Final = (State.FAIL, State.BEYOND, State.KNOWN, State.ELSEWHERE)


def cell_words(cell: Cell) -> str:
    """A cell: "fail: 3 of 120"."""
    if cell.state in _COUNTED:
        return f"{cell.state}: {cell.wrong} of {max(cell.cases, cell.wrong)}"
    return f"{cell.state}: {cell.cases}" if cell.cases else str(cell.state)


def pass_words(cell: PassCell) -> str:
    """A dtype in a pass, likewise."""
    said = f"{cell.wrong} of {cell.right + cell.wrong}" if cell.wrong else str(cell.right)
    return f"{cell.of_pass} {cell.dtype}: {cell.state}, {said}"


def level_words(cell: LevelCell) -> str:
    """A level: "fail: 2 findings"; without any, how many cases were right."""
    if cell.state is State.NOT_JUDGED:
        return str(cell.state)
    if cell.findings:
        return f"{cell.state}: {counted(len(cell.findings), 'finding')}"
    return f"{cell.state}: {cell.wrong or cell.right}"


def engine_state(engine: Engine) -> str:
    """What became of an engine."""
    if engine.unavailable:
        return f"unavailable: {engine.unavailable}"
    return "UNFINISHED: this is what was judged until then" if engine.interrupted else "judged"


def clauses_by_level(matrix: Matrix) -> dict[Level, list[str]]:
    """The clauses of each level, in their order; levels without any are left out."""
    of = {level: [name for name in matrix.clauses if level_of_clause(name) is level] for level in Level}
    return {level: names for level, names in of.items() if names}


def level_title(matrix: Matrix, level: Level) -> str:
    """A level, what it is about, and whether it counts."""
    beyond = "" if level.within(matrix.level) else "; beyond the level that was asked for"
    return f"{level.label}: {MEANINGS[level]}{beyond}"


def summary_words(matrix: Matrix) -> str:
    """The matrix in one sentence."""
    judged, absent = len(matrix.judged), len(matrix.engines) - len(matrix.judged)
    cases = sum(engine.cases for engine in matrix.engines)
    unavailable = f", {absent} unavailable" if absent else ""
    failing = sum(any(cell.state is State.FAIL for cell in engine.cells) for engine in matrix.judged)
    return (
        f"{counted(judged, 'engine')} judged{unavailable}; {counted(cases, 'case')}, {len(matrix.clauses)} clauses; "
        f"{counted(failing, 'engine')} with a failing clause, {counted(len(matrix.findings), 'finding')}."
    )
