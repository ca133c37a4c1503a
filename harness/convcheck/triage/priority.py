"""Priority: groups of failures that may have one cause, and the order in which they are looked at.

What others follow from comes first, and what a user has to know before anything else: wrong results and crashes on
legal layers before refusals of legal layers, and these before what is illegal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from convcheck.judging.tally import Failure
from convcheck.model.verdicts import FAILURES, Status
from convcheck.oracles import CALL, PRECISION, RESULT, Priority, leftovers
from convcheck.oracles.memory import OUTSIDE
from convcheck.triage.failure_signature import FailureSignature

_APART: Final = (OUTSIDE, leftovers.CLAUSE)

_LACKING: Final = 0.1
"""Cases wrong on reals only, for each that is wrong on integers, from which on precision is looked at first.

A wrong index is wrong on integers wherever it is wrong on reals, but for elements that are not judged there; one in
ten leaves room for these.
"""

_UNDERFLOWING: Final = "subnormal"
"""Data whose results are lost where subnormal numbers are flushed, which says nothing about the precision of sums."""


@dataclass(frozen=True, slots=True)
class Group:
    """Failures of one signature that are alike in legality and danger: one cause may be behind them.

    Attributes:
        signature: how they show.
        error: of illegal cases, the clause by which they are; empty for legal ones.
        apart: the clause of what is never told of as something else: that memory outside the tensors of a legal layer
            is touched, or that something is left behind.
    """

    signature: FailureSignature
    error: str = ""
    apart: str = ""

    @classmethod
    def of(cls, failure: Failure) -> Group:
        """The group of a failure."""
        error = ""
        if failure.case.violation is not None:
            error = next((c for c in failure.verdict.clauses if c.startswith("C2D-ERROR-")), failure.verdict.clauses[0])
        failing = not error and failure.verdict.status in FAILURES
        apart = next((clause for clause in _APART if failing and clause in failure.verdict.clauses), "")
        return cls(FailureSignature.of(failure.verdict), error, apart)

    @property
    def legal(self) -> bool:
        """Whether its cases are legal."""
        return not self.error

    @property
    def refusal(self) -> bool:
        """Whether it is that legal layers are refused."""
        return self.legal and (self.signature.quantity, self.signature.kind) == (CALL, Status.WRONGLY_REFUSED)


def grouped(failures: Iterable[Failure]) -> dict[Group, Sequence[Failure]]:
    """The failures by group, in the order of the run."""
    found: dict[Group, list[Failure]] = {}
    for failure in failures:
        found.setdefault(Group.of(failure), []).append(failure)
    return dict(found)


def in_order(groups: Mapping[Group, Sequence[Failure]]) -> list[Group]:
    """The groups in the order in which they are looked at.

    Where many cases are wrong on reals only, it is precision that lacks, and some integers were too long for what
    is left of it.
    """

    def turn(group: Group) -> tuple[bool, bool, bool, Priority, bool, str]:
        signature = group.signature
        asker = signature.asker
        priority = signature.priority if asker is None else asker.priority
        if signature.of_output:
            priority = Priority.OUTPUT
        if signature.kind == RESULT:
            on_reals = groups.get(replace(group, signature=replace(signature, kind=PRECISION)), ())
            lacking = sum(failure.case.regime != _UNDERFLOWING for failure in on_reals)
            if lacking >= _LACKING * len(groups[group]):
                priority = Priority.IMPRECISE_RESULTS
        return not group.legal, group.apart != OUTSIDE, group.refusal, priority, signature.backward, group.error

    return sorted(groups, key=turn)


def may_follow(signature: FailureSignature, other: FailureSignature) -> bool:
    """Whether failures of one kind may follow from those of another: they are looked at later."""
    return signature.priority > other.priority
