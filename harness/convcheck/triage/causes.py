"""Causes: findings in the making, and which failures each accounts for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from convcheck.judging.judge import Failure
from convcheck.model.record import Finding
from convcheck.model.rules import facts
from convcheck.oracles.support.exercised import PLAIN
from convcheck.triage.diagnosis.examine import Diagnosis, reproduces
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import Bench

_EVERYWHERE: Final = frozenset({"C2D-ARITH-1", "C2D-ARITH-2"})

MOSTLY: Final = 0.9
FEW: Final = 3
"""Failures below which it may be chance that what holds for one cause holds for them."""

CHECKED: Final = 20
"""Failures, the simplest, in which it is looked at whether they are those of a cause."""


def size(failure: Failure) -> tuple[int, int, int]:
    """How much there is to a case: work first, for the candidate's sake."""
    case = failure.case
    if case.violation is not None:
        return 0, len(case.token), failure.block
    return case.params.multiply_adds(case.input_shape), len(case.token), failure.block


@dataclass(slots=True)
class Cause:
    """A finding in the making, and the failures that it explains.

    Attributes:
        finding: what is reported.
        symptom: of the failures that it was found in.
        legal: whether it is about legal cases.
        diagnosis: of the finding.
        explains: failures, those of other symptoms among them.
        also: the other symptoms.
        untold: failures that there was no time to look at.
    """

    finding: Finding
    symptom: FailureSignature
    legal: bool
    diagnosis: Diagnosis
    explains: list[Failure] = field(default_factory=list)
    also: list[FailureSignature] = field(default_factory=list)
    untold: int = 0

    @property
    def unsteady(self) -> bool:
        """Whether the failure needs other cases before it, or does not always repeat."""
        return bool(self.finding.before) or self.finding.reproduced < self.finding.attempts

    @property
    def of_state(self) -> bool:
        """Whether more than the arguments of a call decides what comes of it."""
        return self.finding.remembers or self.unsteady

    def explains_by_condition(self, failure: Failure) -> bool:
        """By the trigger or the lookalike's region; without a trigger, by the clauses that are needed."""
        if self.legal is not (failure.case.violation is None):
            return False
        trigger, defect = self.diagnosis.trigger, self.diagnosis.defect
        if trigger is None:
            # a plain layer's clauses are those of every layer
            needed = set(self.finding.clauses) - PLAIN - _EVERYWHERE
            return bool(needed) and needed <= set(failure.verdict.clauses)
        found = facts(failure.case)
        return trigger.rule.holds(found) or (defect is not None and defect.region.holds(found))

    def share_covered(self, other: Cause) -> float:
        """The share of another cause's failures for which the trigger holds; 0 without one, or with "always"."""
        trigger = self.diagnosis.trigger
        if trigger is None or not trigger.rule.text or not other.explains:
            return 0.0
        legal = [f.case for f in other.explains if f.case.violation is None]
        return sum(trigger.rule.holds(facts(case)) for case in legal) / len(other.explains)


def contradicting(bench: Bench, symptom: FailureSignature, cause: Cause, inside: Sequence[Failure]) -> list[Failure]:
    """The failures that the lookalike of a cause does not reproduce, of the simplest; all if it does none."""
    defect = cause.diagnosis.defect
    if defect is None:
        return []
    checked = sorted(inside, key=size)[:CHECKED]
    wrong = [f for f in checked if not reproduces(bench, symptom, f.case, defect)]
    return list(inside) if len(wrong) == len(checked) and symptom != cause.symptom else wrong


def without(failures: Sequence[Failure], others: Sequence[Failure]) -> list[Failure]:
    """The failures that are not among others."""
    gone = {id(f) for f in others}
    return [f for f in failures if id(f) not in gone]
