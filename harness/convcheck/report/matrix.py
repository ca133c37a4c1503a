"""The matrix: what came of each clause for each backend, by level, up to the one that was asked for."""

from __future__ import annotations

from convcheck.model.levels import level_of_clause
from convcheck.model.record import Count, Record
from convcheck.model.verdicts import FAILURES, JUDGED, Status
from convcheck_reference.clauses import CLAUSES, Clause

_OPEN = FAILURES | {Status.UNEXPECTED_PASS}


def clauses_in_order(record: Record) -> tuple[Clause, ...]:
    """The clauses of the levels that count, those of the most important level first; of extensions, those judged."""
    judged = {count.clause for count in record.counts}
    shown = [clause for clause in CLAUSES if not clause.of_extension or clause.id in judged]
    of_levels = [clause for clause in shown if level_of_clause(clause.id).within(record.level)]
    return tuple(sorted(of_levels, key=lambda clause: level_of_clause(clause.id).rank))


def clause_verdict(record: Record, backend: str, clause: str) -> tuple[Status | None, int, int]:
    """Status of one clause for one backend, with the number of cases judged and failed; None if unjudged.

    Failures of levels that do not count are left out. Where it is in failures of another clause, the cases of that
    count as failed.
    """
    counts = _counting(record, backend, clause)
    judged = sum(c.cases for c in counts if c.status in JUDGED | {Status.KNOWN_FAILURE})
    failed = sum(c.cases for c in counts if c.status in FAILURES)
    if failed:
        return next(c.status for c in counts if c.status in FAILURES), judged, failed
    for status in (Status.UNEXPECTED_PASS, Status.KNOWN_FAILURE):
        if any(c.status is status for c in counts):
            return status, judged, 0
    if explained := sum(c.cases for c in counts if c.status is Status.ELSEWHERE):
        return Status.ELSEWHERE, judged, explained
    if judged:
        return Status.PASS, judged, 0
    return (counts[0].status if counts else None), 0, 0


def cell(record: Record, backend: str, clause: str) -> str:
    """The same in words; a failure that is of another level than its clause says of which."""
    status, judged, failed = clause_verdict(record, backend, clause)
    if status is None:
        return "not judged"
    if not failed:
        return f"{status}: {judged}" if judged else str(status)
    levels = {c.level for c in _counting(record, backend, clause) if c.status in FAILURES and c.level}
    others = sorted(levels - {level_of_clause(clause)}, key=lambda level: level.rank)
    return f"{status}: {failed} of {judged}" + "".join(f", {level.label}" for level in others)


def _counting(record: Record, backend: str, clause: str) -> list[Count]:
    counts = [c for c in record.counts if (c.backend, c.clause) == (backend, clause)]
    return [c for c in counts if c.status not in _OPEN or c.level is None or c.level.within(record.level)]
