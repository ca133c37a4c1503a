"""What is other in one matrix than in another: cells whose state has changed, or whose findings say something else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from convcheck.model.matrix import Cell, Engine, Entry, Matrix, State
from convcheck.model.passes import Pass
from convcheck.report.compatibility.words import cell_words, engine_state
from convcheck.report.difference import said
from convcheck.report.tables import Style, counted, printable, table
from convcheck_reference.clauses import clause

_OPEN: Final = (State.FAIL, State.BEYOND, State.OUTDATED)


class CellChange(StrEnum):
    """What became of a cell: wrong now, wrong in another way, right again, or something else that is no verdict."""

    NEW = "new"
    CHANGED = "changed"
    FIXED = "fixed"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ChangedCell:
    """A cell that is other in one matrix than in another.

    Attributes:
        change: what became of it.
        before: name and version of the engine there.
        after: likewise.
        clause: its id.
        what: "all", or the pass and dtype that have changed.
        was: what the earlier matrix says.
        now: what the later one says.
        follows: whether all that has changed is that its cases are, or were, in failures of another clause.
    """

    change: CellChange
    before: str
    after: str
    clause: str
    what: str
    was: str
    now: str
    follows: bool = False


@dataclass(frozen=True, slots=True)
class MatrixDifference:
    """How a matrix differs from an earlier one.

    Attributes:
        changed: cells, what is new first.
        engines: those that one of them did not judge, in words.
    """

    changed: tuple[ChangedCell, ...]
    engines: tuple[str, ...] = ()

    @property
    def worse(self) -> bool:
        """Whether a cell is wrong that was not, or in another way."""
        return any(cell.change in (CellChange.NEW, CellChange.CHANGED) for cell in self.changed)


def matrix_difference(before: Matrix, after: Matrix) -> MatrixDifference:
    """How a matrix differs from an earlier one.

    Engines are matched by the name of their backend; one that has no other of its name, by that without the release
    behind its @, so that two releases of an engine can be compared.

    Args:
        before: the earlier one.
        after: the later one.
    """
    pairs = _pairs(before.engines, after.engines)
    both = [(old, new) for old, new in pairs if not (old.unavailable or new.unavailable)]
    changed = [cell for old, new in both for cell in _cells(before, after, old, new)]
    order = list(CellChange)
    return MatrixDifference(
        changed=tuple(sorted(changed, key=lambda cell: order.index(cell.change))),
        engines=tuple(_others(before.engines, after.engines, pairs)),
    )


def matrix_difference_text(found: MatrixDifference, style: Style) -> str:
    """The difference as Markdown or plain text."""
    shown = sorted((c for c in found.changed if not c.follows), key=_engines)
    rows = [(_engines(c), c.change, c.clause, clause(c.clause).title, c.what, c.was, c.now) for c in shown]
    follow = len(found.changed) - len(shown)
    kinds = Counter(cell.change for cell in shown)
    parts = [
        *map(printable, found.engines),
        table(["backend", "", "clause", "title", "of it", "was", "is"], rows, style) if rows else "",
        f"{counted(follow, 'cell')} only in failures of another clause." if follow else "",
        ", ".join(counted(kinds[change], f"{change} cell") for change in CellChange) + ".",
    ]
    return "\n\n".join(part for part in parts if part)


def _engines(cell: ChangedCell) -> str:
    return cell.after if cell.before == cell.after else f"{cell.before} → {cell.after}"


def _pairs(old: Sequence[Engine], new: Sequence[Engine]) -> list[tuple[Engine, Engine]]:
    """Engines of both, by name and version, by name, and by name without the release, where that is of one alone."""
    pairs, left = list[tuple[Engine, Engine]](), (list(old), list(new))
    for key in (_label, _name, _without_release):
        first, second = ({key(e): e for e in some if _once(key(e), map(key, some))} for some in left)
        for name in first.keys() & second.keys():
            pairs.append((first[name], second[name]))
            left[0].remove(first[name])
            left[1].remove(second[name])
    places = {id(engine): place for place, engine in enumerate(new)}
    return sorted(pairs, key=lambda pair: places[id(pair[1])])


def _once(name: str, names: Iterator[str]) -> bool:
    return Counter(names)[name] == 1


def _label(engine: Engine) -> str:
    return engine.label


def _name(engine: Engine) -> str:
    return engine.name


def _without_release(engine: Engine) -> str:
    return engine.name.partition("@")[0]


def _others(old: Sequence[Engine], new: Sequence[Engine], pairs: Sequence[tuple[Engine, Engine]]) -> Iterator[str]:
    met = {id(engine) for pair in pairs for engine in pair}
    yield from (f"{_label(e)} was judged before, and is not now" for e in old if id(e) not in met)
    yield from (f"{_label(e)} was not judged before" for e in new if id(e) not in met)
    for was, now in pairs:
        if was.unavailable != now.unavailable:
            yield f"{_label(now)}: {engine_state(was)} before, {engine_state(now)} now"


def _cells(before: Matrix, after: Matrix, old: Engine, new: Engine) -> Iterator[ChangedCell]:
    was, now = ({cell.clause: cell for cell in engine.cells} for engine in (old, new))
    entries = [{entry.number: entry for entry in matrix.findings} for matrix in (before, after)]
    names = _label(old), _label(new)
    for name in (each for each in after.clauses if each in was and each in now):
        change = _change(was[name].state, now[name].state)
        if change is None and now[name].state in _OPEN and _said(was[name], entries[0]) != _said(now[name], entries[1]):
            change = CellChange.CHANGED
        if change is not None:
            told = _told(was[name], entries[0]), _told(now[name], entries[1])
            yield ChangedCell(change, *names, name, "all", *told, follows=_follows(was[name].state, now[name].state))
        else:
            yield from _passes(was[name], now[name], names)


def _passes(was: Cell, now: Cell, names: tuple[str, str]) -> Iterator[ChangedCell]:
    """Of a clause that is as it was, the dtypes and passes that are not; those that both were judged in."""
    old, new = _by_pass(was), _by_pass(now)
    for key in (each for each in new if each in old):
        change = _change(old[key], new[key])
        if change is not None:
            said = str(old[key]), str(new[key])
            follows = _follows(old[key], new[key])
            yield ChangedCell(change, *names, now.clause, f"{key[0]} {key[1]}", *said, follows=follows)


def _by_pass(cell: Cell) -> Mapping[tuple[Pass, str], State]:
    return {(each.of_pass, each.dtype): each.state for each in cell.passes}


def _change(was: State, now: State) -> CellChange | None:
    if was is now:
        return None
    if now in _OPEN:
        return CellChange.CHANGED if was in _OPEN else CellChange.NEW
    return CellChange.FIXED if was in _OPEN and now is State.PASS else CellChange.OTHER


def _follows(was: State, now: State) -> bool:
    return {was, now} == {State.PASS, State.ELSEWHERE}


def _said(cell: Cell, entries: Mapping[int, Entry]) -> set[str]:
    return {said(entries[number].finding) for number in cell.findings if number in entries}


def _told(cell: Cell, entries: Mapping[int, Entry]) -> str:
    findings = sorted(_said(cell, entries)) if cell.state in _OPEN else []
    return "; ".join([cell_words(cell), *findings])
