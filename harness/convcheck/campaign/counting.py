"""Counting: how many cases had which status for each clause, once what failed has been looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from convcheck.judging.tally import Failure, Tally
from convcheck.model.levels import Level
from convcheck.model.origins import Origin
from convcheck.model.record import NOT_LOOKED_AT, Count, Finding
from convcheck.model.verdicts import Status
from convcheck.oracles.levels import level_of
from convcheck.oracles.support.exercised import telling_clause

_Said: TypeAlias = tuple[Status, str, Level | None]
"""A status, its reason and, of a failure, its level."""

_RANK: Final = {Status.ELSEWHERE: 2, Status.KNOWN_FAILURE: 1}
"""Which of several statuses of one case and clause counts: the lowest, what is not named here before all."""


Row: TypeAlias = tuple[str, Status, str, Level | None]
"""A clause, and a status, its reason and, of a failure, its level."""


def counts(
    backend: str,
    tally: Tally,
    findings: Sequence[Finding],
    accounted: Sequence[Sequence[Failure]],
    beyond: Mapping[Row, int] = MappingProxyType({}),
) -> tuple[Count, ...]:
    """The counts of one backend, every failure under its own clauses.

    Args:
        backend: its name.
        tally: of its cases.
        findings: of it.
        accounted: the failures of each finding; none where it is not about failures of the tally.
        beyond: what is counted of cases whose failures are not in the tally.
    """
    rows = Counter[Row](beyond)
    rows.update({(*key, None): cases for key, cases in tally.counts.items()})
    belongs: dict[int, Finding] = {}
    for finding, failures in zip(findings, accounted, strict=True):
        belongs |= dict.fromkeys(map(id, failures), finding)
        if not failures:
            rows[finding.clause, *_of(finding)] += finding.failing_cases
    rows.update(rows_of(tally.failures, belongs))
    return tuple(
        Count(backend=backend, clause=clause, status=status, reason=reason, cases=cases, level=level)
        for (clause, status, reason, level), cases in sorted(rows.items(), key=lambda row: tuple(map(str, row[0])))
    )


def rows_of(failures: Sequence[Failure], belongs: Mapping[int, Finding]) -> Iterator[Row]:
    """One row for each failing case and clause.

    Args:
        failures: of the cases.
        belongs: by the identity of a failure, the finding that it was put to.
    """
    best: dict[tuple[Origin, int, int, str], _Said] = {}
    for failure in failures:
        for clause, said in _said(failure, belongs.get(id(failure))):
            key = failure.origin, failure.block, failure.position, clause
            if key not in best or _RANK.get(said[0], 0) < _RANK.get(best[key][0], 0):
                best[key] = said
    for (*_, clause), said in best.items():
        yield clause, *said


def _said(failure: Failure, finding: Finding | None) -> Iterator[tuple[str, _Said]]:
    """What a failure says of clauses: of one that it fails, of the others that it is counted under that one."""
    clauses = failure.verdict.clauses
    clause = telling_clause(clauses) if finding is None else finding.clause
    yield clause, _open(failure) if finding is None else _of(finding)
    yield from ((other, (Status.ELSEWHERE, f"counted under {clause}", None)) for other in clauses if other != clause)


def _open(failure: Failure) -> _Said:
    return failure.verdict.status, NOT_LOOKED_AT, level_of(failure.case, failure.verdict)


def _of(finding: Finding) -> _Said:
    return finding.status, finding.known or finding.verdict.reason, finding.level
