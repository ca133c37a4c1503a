"""From the records of runs to the matrix; nothing is judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from convcheck.model.levels import Level, Standing, level_of_clause
from convcheck.model.matrix import Cell, Engine, Entry, LevelCell, Matrix, PassCell, State
from convcheck.model.passes import Pass, PassCount, pass_of
from convcheck.model.record import NOT_LOOKED_AT, BackendRecord, Count, Finding, Record
from convcheck.model.verdicts import FAILURES, JUDGED, Status
from convcheck_reference.clauses import CLAUSES

Numbered = Mapping[int, Finding]
"""The findings of a backend by their number in the matrix."""

_WORST_FIRST: Final = (State.FAIL, State.BEYOND, State.KNOWN)


def matrix_of(records: Sequence[Record], level: Level | None = None) -> Matrix:
    """The matrix of what some runs judged.

    Args:
        records: of the runs; each of their backends becomes a column.
        level: the last that counts; None for the last that counts in any of the runs.
    """
    level = level or max((record.level for record in records), key=lambda each: each.rank)
    clauses, engines, entries = _clauses(records), list[Engine](), list[Entry]()
    for record in (replace(each, level=level) for each in records):
        for backend in record.backends:
            of = [(place, f) for place, f in enumerate(record.findings, 1) if f.backend == backend.name]
            numbered = {number: finding for number, (_, finding) in enumerate(of, len(entries) + 1)}
            engine = _engine(record, backend, clauses, numbered)
            engines.append(engine)
            entries += [_entry(engine, len(entries) + at, place, finding) for at, (place, finding) in enumerate(of, 1)]
    return Matrix(
        level=level,
        clauses=clauses,
        engines=tuple(engines),
        findings=tuple(entries),
        convcheck=tuple(dict.fromkeys(record.version for record in records)),
    )


def _clauses(records: Sequence[Record]) -> tuple[str, ...]:
    """Those of the most important level first; of extensions, those that some engine was judged by."""
    judged = {count.clause for record in records for count in record.counts if count.status in JUDGED}
    shown = [clause.id for clause in CLAUSES if not clause.of_extension or clause.id in judged]
    return tuple(sorted(shown, key=lambda clause: level_of_clause(clause).rank))


def _entry(engine: Engine, number: int, place: int, finding: Finding) -> Entry:
    without = replace(finding, reproduction=replace(finding.reproduction, call=None))
    return Entry(number=number, run=engine.run, place=place, engine=engine.label, finding=without)


def _engine(record: Record, backend: BackendRecord, clauses: Sequence[str], found: Numbered) -> Engine:
    counts = [count for count in record.counts if count.backend == backend.name]
    passes = [count for count in record.passes if count.backend == backend.name]
    reasons = Counter[str]()
    for count in counts:
        if not count.clause and count.status is Status.NOT_APPLICABLE:
            reasons[count.reason] += count.cases
    return Engine(
        name=backend.name,
        version=next(iter(backend.versions.values()), ""),
        versions=dict(backend.versions),
        run=record.name,
        command=record.command,
        started=record.started,
        seed=record.seed,
        cases=backend.cases,
        unavailable=backend.unavailable,
        interrupted=record.interrupted,
        not_applicable=dict(reasons.most_common()),
        levels=() if backend.unavailable else tuple(_level(record, backend, level, found) for level in Level),
        cells=()
        if backend.unavailable
        else tuple(
            _cell(
                clause,
                [count for count in counts if count.clause == clause],
                [count for count in passes if count.clause == clause],
                found,
                record.level,
            )
            for clause in clauses
        ),
    )


def _level(record: Record, backend: BackendRecord, level: Level, found: Numbered) -> LevelCell:
    standing = record.standing(backend.name, level)
    return LevelCell(
        level=level,
        state=_standing(standing, counts=level.within(record.level)),
        findings=tuple(number for number, finding in found.items() if finding.level is level),
        right=standing.passed,
        wrong=standing.failed,
    )


def _standing(standing: Standing, *, counts: bool) -> State:
    if standing.fails:
        return State.FAIL if counts else State.BEYOND
    if standing.outdated and counts:
        return State.OUTDATED
    if standing.failed:
        return State.ELSEWHERE
    if standing.known:
        return State.KNOWN
    return State.PASS if standing.judged else State.NOT_JUDGED


def _cell(clause: str, counts: Sequence[Count], passes: Sequence[PassCount], found: Numbered, level: Level) -> Cell:
    """What came of one clause, the most telling of its counts first."""
    own = {number: finding for number, finding in found.items() if finding.clause == clause}
    by_pass = tuple(_pass(count, own, level, looked_at=_looked_at(counts)) for count in sorted(passes, key=_in_order))
    cases = sum(c.cases for c in counts if c.status in JUDGED | {Status.KNOWN_FAILURE})
    of_states = {state: [c for c in counts if _state(c, level) is state] for state in State}
    for state in (State.FAIL, State.OUTDATED, State.BEYOND, State.KNOWN, State.ELSEWHERE):
        if some := of_states[state]:
            reasons = "; ".join(dict.fromkeys(c.reason for c in some)) if state is State.KNOWN else ""
            leading = own if state is not State.ELSEWHERE else _sharing(clause, found)
            wrong = 0 if state is State.OUTDATED else sum(c.cases for c in some)
            return Cell(
                clause=clause,
                state=state,
                cases=cases,
                wrong=wrong,
                reason=reasons,
                findings=tuple(leading),
                passes=by_pass,
            )
    if missed := max((cell.wrong for cell in by_pass), default=0):  # what follows from another failure is not counted
        return Cell(
            clause=clause,
            state=State.ELSEWHERE,
            cases=cases + missed,
            wrong=missed,
            findings=tuple(_sharing(clause, found)),
            passes=by_pass,
        )
    if cases:
        return Cell(clause=clause, state=State.PASS, cases=cases, passes=by_pass)
    return _not_judged(clause, counts)


def _not_judged(clause: str, counts: Sequence[Count]) -> Cell:
    reasons = "; ".join(dict.fromkeys(count.reason for count in counts))
    applies = not counts or any(count.status is not Status.NOT_APPLICABLE for count in counts)
    return Cell(clause=clause, state=State.NOT_JUDGED if applies else State.NOT_APPLICABLE, reason=reasons)


def _state(count: Count, level: Level) -> State | None:
    """What a count says that a pass does not."""
    counts = count.level is None or count.level.within(level)
    if count.status in FAILURES:
        return State.FAIL if counts else State.BEYOND
    if count.status is Status.UNEXPECTED_PASS:
        return State.OUTDATED if counts else None
    return {Status.KNOWN_FAILURE: State.KNOWN, Status.ELSEWHERE: State.ELSEWHERE}.get(count.status)


def _looked_at(counts: Sequence[Count]) -> bool:
    return all(count.reason != NOT_LOOKED_AT for count in counts)


def _sharing(clause: str, found: Numbered) -> list[int]:
    """The findings whose failure breaks this clause as well."""
    return [number for number, finding in found.items() if clause in finding.verdict.clauses]


def _pass(count: PassCount, own: Numbered, level: Level, *, looked_at: bool) -> PassCell:
    state = State.PASS
    if count.wrong:
        states = {_of_finding(finding, level) for finding in own.values() if _is_about(finding, count)}
        others = State.ELSEWHERE if looked_at else State.FAIL
        state = next((worst for worst in _WORST_FIRST if worst in states), others)
    return PassCell(dtype=count.dtype, of_pass=count.of_pass, state=state, right=count.right, wrong=count.wrong)


def _in_order(count: PassCount) -> tuple[int, str]:
    return tuple(Pass).index(count.of_pass), count.dtype


def _is_about(finding: Finding, count: PassCount) -> bool:
    quantities = (finding.verdict.quantity, *finding.also_affects)
    of_dtype = not finding.dtypes or count.dtype in finding.dtypes
    return of_dtype and count.of_pass in {pass_of(quantity) for quantity in quantities}


def _of_finding(finding: Finding, level: Level) -> State:
    if finding.status is Status.KNOWN_FAILURE:
        return State.KNOWN
    return State.FAIL if finding.level.within(level) else State.BEYOND
