"""Causes: findings in the making, and which failures each accounts for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from convcheck.judging.tally import Failure
from convcheck.model.case import Case
from convcheck.model.diagnosis import Diagnosis
from convcheck.model.history import History, write
from convcheck.model.levels import Level
from convcheck.model.record import Finding
from convcheck.model.reproduction import Reproduction, StandaloneCall
from convcheck.model.rules import facts
from convcheck.model.verdicts import Verdict
from convcheck.oracles.levels import level_of_cause
from convcheck.oracles.support.exercised import PLAIN, telling_clause
from convcheck.triage.diagnosis.examine import Examination
from convcheck.triage.diagnosis.known_defect_match import reproduces
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import Probe

_EVERYWHERE: Final = frozenset({"C2D-ARITH-1", "C2D-ARITH-2"})
"""Clauses of every wrong value, which say nothing about its cause."""

_NAN, _INF = "C2D-SPECIAL-1", "C2D-SPECIAL-2"

MOSTLY: Final = 0.9
"""The share of failures in which something has to hold before it counts as holding for their cause: in one of ten,
wrong terms may cancel, or another cause may be at work."""

FEW: Final = 3
"""Failures below which it may be chance that what holds for one cause holds for them."""

CHECKED: Final = 20
"""Failures, the simplest, in which it is looked at whether they are those of a cause: each costs a call or more."""

ATTEMPTS: Final = 3
"""Repetitions of a smallest case, each on a fresh candidate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallestCase:
    """What a failure was reduced to.

    Attributes:
        first: the failure.
        case: the smallest case that fails likewise.
        verdict: on that case.
        setup_cases: cases that have to run before it.
        history: the calls that fail, the last of them of this case; empty where it is a case that fails.
        reproduced: how many of `ATTEMPTS` repetitions failed again.
        state_dependent: whether what ran before in the case decides.
        free: parameters any other value of which fails as well, on dense data where that fails, too.
    """

    first: Failure
    case: Case
    verdict: Verdict
    setup_cases: tuple[Case, ...] = ()
    history: History = ()
    reproduced: int = 0
    state_dependent: bool = False
    free: tuple[str, ...] = ()

    @property
    def steady(self) -> bool:
        """Whether it fails every time, by itself."""
        return self.reproduced == ATTEMPTS and not self.setup_cases and not self.history


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A finding in the making, and the failures that it explains.

    Attributes:
        signature: of the failures that it was found in.
        smallest: the case that shows it best.
        examination: what was found out about it.
        standalone: whether one call shows it on a fresh candidate.
        call: that call, as a script makes it.
        explains: failures, those of other signatures among them.
        also: the other signatures.
    """

    signature: FailureSignature
    smallest: SmallestCase
    examination: Examination = field(default_factory=Examination)
    standalone: bool = False
    call: StandaloneCall | None = None
    explains: tuple[Failure, ...] = ()
    also: tuple[FailureSignature, ...] = ()

    @property
    def legal(self) -> bool:
        """Whether it is about legal cases."""
        return self.smallest.first.case.violation is None

    @property
    def of_state(self) -> bool:
        """Whether more than the arguments of a call decides what comes of it."""
        return self.smallest.state_dependent or not self.smallest.steady

    @property
    def level(self) -> Level:
        """What it is about: where a promise that was not made explains it, what that gives up."""
        smallest, promise = self.smallest, self.diagnosis.promise
        if promise is not None:
            return promise.level
        return level_of_cause(
            smallest.case,
            smallest.verdict,
            after_others=bool(smallest.setup_cases or smallest.history or smallest.state_dependent),
            now_and_then=smallest.reproduced < ATTEMPTS,
        )

    @property
    def diagnosis(self) -> Diagnosis:
        """What its finding will say."""
        return replace(self.examination.diagnosis, free=self.smallest.free)

    def accounts_for(self, failure: Failure) -> bool:
        """By the failure condition or the known defect's region; without a condition, by the clauses that it needs."""
        if self.legal is not (failure.case.violation is None):
            return False
        condition, defect = self.diagnosis.failure_condition, self.examination.defect
        if condition is None:
            # a plain layer's clauses are those of every layer
            needed = _told_by(self.smallest.verdict) - PLAIN - _EVERYWHERE
            return bool(needed) and needed <= _told_by(failure.verdict)
        found = facts(failure.case)
        return condition.rule.holds(found) or (defect is not None and defect.region.holds(found))

    def share_covered(self, other: Cause) -> float:
        """The share of another cause's failures for which the condition holds; 0 without one, or with "always"."""
        condition = self.diagnosis.failure_condition
        if condition is None or not condition.rule.text or not other.explains:
            return 0.0
        legal = [f.case for f in other.explains if f.case.violation is None]
        return sum(condition.rule.holds(facts(case)) for case in legal) / len(other.explains)

    def finding(self, backend: str) -> Finding:
        """What is reported of it."""
        smallest, verdict = self.smallest, self.smallest.verdict
        return Finding(
            backend=backend,
            clause=telling_clause(verdict.clauses),
            level=self.level,
            verdict=verdict,
            reproduction=Reproduction(
                token=smallest.case.token,
                first_failing_case=smallest.first.case.token,
                setup_cases=tuple(case.token for case in smallest.setup_cases),
                history=write(smallest.history),
                reproduced=smallest.reproduced,
                attempts=ATTEMPTS,
                state_dependent=smallest.steady and smallest.state_dependent,
                standalone=self.standalone,
                call=self.call,
            ),
            diagnosis=self.diagnosis,
            failing_cases=len(self.explains),
            dtypes=tuple(sorted({f.case.dtype for f in self.explains})),
            origins=tuple(sorted({f.origin for f in self.explains})),
            also_affects=tuple(dict.fromkeys(s.quantity for s in self.also if s.quantity != self.signature.quantity)),
        )


def _told_by(verdict: Verdict) -> set[str]:
    """The clauses of a verdict; what a cause does to infinities it does to NaN."""
    return {_NAN if clause == _INF else clause for clause in verdict.clauses}


def size(failure: Failure) -> tuple[int, int, int]:
    """How much there is to a case: work first, for the candidate's sake."""
    case = failure.case
    if case.violation is not None:
        return 0, len(case.token), failure.block
    return case.multiply_adds, len(case.token), failure.block


def contradicting(
    probe: Probe, signature: FailureSignature, cause: Cause, inside: Sequence[Failure]
) -> Sequence[Failure]:
    """The failures that the known defect of a cause does not reproduce, of the simplest; all if it does none."""
    defect = cause.examination.defect
    if defect is None:
        return []
    checked = sorted(inside, key=size)[:CHECKED]
    wrong = [f for f in checked if not reproduces(probe, signature, f.case, defect)]
    return inside if len(wrong) == len(checked) and signature != cause.signature else wrong


def without(failures: Sequence[Failure], others: Sequence[Failure]) -> list[Failure]:
    """The failures that are not among others."""
    gone = {id(f) for f in others}
    return [f for f in failures if id(f) not in gone]
