"""Verdicts: what an oracle says about one case."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from convcheck.model.levels import Level


class Status(StrEnum):
    """The outcome of a check; each is counted, with its reason, in every report.

    In failures of another clause: the case fails, and its failure is counted under that one. It is no pass of this one.
    """

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    CRASHED = "crashed"
    HUNG = "hung"
    WRONGLY_ACCEPTED = "wrongly accepted"
    WRONGLY_REFUSED = "wrongly refused"
    UNWRITTEN = "unwritten output"
    ELSEWHERE = "in failures of another clause"
    VACUOUS = "vacuous"
    NOT_APPLICABLE = "not applicable"
    KNOWN_FAILURE = "known failure"
    UNEXPECTED_PASS = "unexpected pass"  # noqa: S105
    UNAVAILABLE = "unavailable"


FAILURES: Final = frozenset(
    {
        Status.FAIL,
        Status.CRASHED,
        Status.HUNG,
        Status.WRONGLY_ACCEPTED,
        Status.WRONGLY_REFUSED,
        Status.UNWRITTEN,
    }
)
"""Statuses that make a finding."""

JUDGED: Final = FAILURES | {Status.PASS, Status.ELSEWHERE}
"""Statuses of a case that could tell right from wrong."""


OF_VERDICTS: Final = (
    *("output", "grad_input", "grad_weight", "grad_bias", "gradients", "double_backward", "adjoint"),
    *("inputs", "memory", "work", "module", "call"),
)
"""What a verdict may be about: results, several of them together, what is around them, or the call as a whole."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The worst element of a wrong result, and where the wrong elements sit.

    Attributes:
        index: of the worst element; empty where no single element is wrong (a wrong shape, say).
        expected: as text; for real values with the bound.
        got: as text.
        wrong: number of wrong elements.
        total: number of elements judged.
        location: where the wrong elements sit, in words.
    """

    index: tuple[int, ...]
    expected: str
    got: str
    wrong: int
    total: int
    location: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one oracle says about one quantity of one case.

    Attributes:
        oracle: its name.
        quantity: one of `OF_VERDICTS`.
        status: the outcome.
        clauses: the clauses that this case exercises there.
        reason: why, in words; empty for a pass.
        margin: max |got − expected| / bound where a bound was used; above 1 is a failure.
        evidence: for failures with a wrong result.
        level: what it is about, where the oracle knows better than by what it judges in general.
        alone: the token of the case that makes the failing call by itself, where an oracle's call is of another layer,
            size or data than the case's own; empty for none.
        calls: of a pass, how many calls were found to give the right result.
    """

    oracle: str
    quantity: str
    status: Status
    clauses: tuple[str, ...]
    reason: str = ""
    margin: float | None = None
    evidence: Evidence | None = None
    level: Level | None = None
    alone: str = ""
    calls: int = 0
