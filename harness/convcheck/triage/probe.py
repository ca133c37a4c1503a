"""The bench: puts cases to a candidate again, and remembers what came of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from convcheck.execution.candidate import Candidate
from convcheck.execution.restarting_candidate import RestartingCandidate
from convcheck.judging.judge import first_causes
from convcheck.model.calls import Call
from convcheck.model.case import Case
from convcheck.model.profiles import QUANTITIES
from convcheck.model.verdicts import FAILURES, Verdict
from convcheck.oracles import Oracle, applicable, due, extra_calls, judge, metamorphic, repeating
from convcheck.oracles.parity import unspecified
from convcheck.oracles.support.trial import INTEGERS, REALS, Trial
from convcheck.triage.diagnosis.cross_check import arbitrate
from convcheck.triage.failure_signature import PRECISION, RESULT, FailureSignature

MOST_CALLS: Final = 4000
"""Calls of a candidate in all its findings: what is left is reported as not told apart."""

_RESTART: Final = 3
"""Calls that a restart counts for: a worker is forked in the time of some."""

_OF_RESULTS: Final = ("parity", "contract", "exact", "bounded", "gradients")

Excluded: TypeAlias = Callable[[Case, Verdict], bool]
"""Whether a failing verdict on a case is known and so must not become a finding."""


def nothing_excluded(_case: Case, _verdict: Verdict) -> bool:
    """Every failure is a finding."""
    return False


@dataclass(slots=True)
class Budget:
    """Calls that are left."""

    left: int


class Bench:
    """A candidate with a bounded number of calls, made only where they can show a symptom.

    A case that is put to it twice is called once: what it came to is remembered until `fresh`.

    Args:
        candidate: it is called.
        excluded: failures that do not count.
        budget: the calls; when they are spent, no case shows anything any more.
        per_turn: calls that each case costs besides its own.
    """

    def __init__(
        self,
        candidate: Candidate,
        excluded: Excluded = nothing_excluded,
        budget: Budget | None = None,
        per_turn: int = 0,
    ) -> None:
        self.candidate = candidate
        self.budget = budget or Budget(MOST_CALLS)
        self._per_turn = per_turn
        self._excluded = excluded
        self._known: dict[tuple[str, FailureSignature], tuple[Verdict, ...]] = {}

    @property
    def left(self) -> int:
        """Calls that are left."""
        return self.budget.left

    def forgetful(self) -> Bench:
        """A bench of the same candidate and budget that puts every case to a fresh one."""
        return Bench(RestartingCandidate(self.candidate), self._excluded, self.budget, _RESTART)

    def fresh(self) -> None:
        """Restart the candidate and forget what it did."""
        self.candidate.restart()
        self._known.clear()

    def failing(self, case: Case, symptom: FailureSignature) -> Verdict | None:
        """The verdict by which a case shows a symptom; None if it does not, or no calls are left."""
        causes = first_causes(self._verdicts(case, symptom))
        found = next((v for v in causes if FailureSignature.of(v) == symptom), None)
        return None if found is None or self._excluded(case, found) else found

    def again(self, case: Case, symptom: FailureSignature) -> Verdict | None:
        """As `failing`, but the case is called again even if it has been."""
        self._known.pop((case.token, symptom), None)
        return self.failing(case, symptom)

    def label(self, case: Case, symptom: FailureSignature) -> bool | None:
        """Whether a case shows a symptom; None if it fails otherwise, or could not have shown it."""
        verdicts = self._verdicts(case, symptom)
        causes = first_causes(verdicts)
        if any(FailureSignature.of(v) == symptom for v in causes):
            return None if self.failing(case, symptom) is None else True
        return False if not causes and any(symptom.excluded_by(v) for v in verdicts) else None

    def replay(self, case: Case) -> None:
        """Make all the calls that a campaign makes of a case, for what they leave behind."""
        trial = self._blank(case)
        if self.left > 0 and not self._not_applicable(case):
            self._made(trial, {**trial.calls, **extra_calls(trial, due(case))})

    def trial(self, case: Case, symptom: FailureSignature) -> Trial:
        """The trial of a case after the calls that can show a symptom."""
        trial = self._blank(case)
        return self._made(trial, _calls(trial, symptom))

    def relative_error(self, case: Case, symptom: FailureSignature) -> float:
        """The largest error of a wrong result in units of its gauge, the sum of magnitudes; infinite without one."""
        trial = self.trial(case, symptom)
        quantity = next(q for q in QUANTITIES if q == symptom.quantity)
        regime, expected = (
            (INTEGERS, trial.expected_integers) if symptom.sort == RESULT else (REALS, trial.expected_reals)
        )
        got = trial.returned(regime, quantity)
        if got is None or got.size == 0:
            return math.inf
        right = expected.sum(quantity)
        with np.errstate(all="ignore"):
            errors = np.abs(got.astype(right.value.dtype) - right.value) / right.gauge
        return float(np.max(errors[right.gauge > 0], initial=0.0))

    def alone(self, case: Case, symptom: FailureSignature) -> bool:
        """Whether the one call that a script would make shows a symptom on a fresh candidate."""
        trial = self._blank(case)
        name = f"{REALS} forward" if symptom.sort == "special" else list(_calls(trial, symptom))[-1]
        if name not in trial.calls:
            return False
        self.fresh()
        verdicts = judge(self._made(trial, {name: trial.calls[name]}), _oracles(case, symptom))
        return any(v.status in FAILURES and FailureSignature.of(v) == symptom for v in verdicts)

    def remembers(self, case: Case, symptom: FailureSignature) -> bool:
        """Whether a case that shows a symptom on a fresh candidate does so because of what ran before in it.

        It does if it does not where each of its calls meets a fresh candidate, or does not again on one that is
        no longer fresh. False where no calls are left to find out.
        """
        if self.left <= 0:
            return False
        if not self._apart(case, symptom):
            return True
        return self.left > 0 and self.again(case, symptom) is None

    def _apart(self, case: Case, symptom: FailureSignature) -> bool:
        """Whether a case shows a symptom where each of its calls meets a fresh candidate."""
        trial, each_fresh = self._blank(case), RestartingCandidate(self.candidate)
        calls = _calls(trial, symptom)
        outcomes = {id(call): each_fresh.call(call) for call in {id(call): call for call in calls.values()}.values()}
        self.budget.left -= len(outcomes) * (1 + _RESTART)
        trial = trial.with_outcomes({name: outcomes[id(call)] for name, call in calls.items()})
        verdicts = first_causes(judge(trial, _oracles(case, symptom)))
        return any(FailureSignature.of(v) == symptom for v in verdicts)

    def arbitrated(self, case: Case) -> str:
        """Who is wrong about the output of a legal case, by the loops and the metamorphic relations.

        Empty for a module, and if no calls are left.
        """
        trial = self._blank(case)
        if case.violation is not None or case.entry == "module" or self.left <= 0:
            return ""
        trial = self._made(trial, {**trial.calls, **extra_calls(trial, metamorphic.ORACLES)})
        output = trial.returned(INTEGERS, "output")
        return "" if output is None else arbitrate(output, trial)

    def _blank(self, case: Case) -> Trial:
        """The trial of a case before its calls."""
        return Trial(case, self.candidate.capabilities)

    def _made(self, trial: Trial, calls: Mapping[str, Call]) -> Trial:
        """The trial after some calls, which are taken off what is left."""
        self.budget.left -= len(calls) + self._per_turn
        return trial.with_outcomes(dict(zip(calls, self.candidate.call_all(tuple(calls.values())), strict=True)))

    def _verdicts(self, case: Case, symptom: FailureSignature) -> tuple[Verdict, ...]:
        key = (case.token, symptom)
        if key not in self._known:
            if self.left <= 0 or self._not_applicable(case):
                return ()
            self._known[key] = judge(self.trial(case, symptom), _oracles(case, symptom))
        return self._known[key]

    def _not_applicable(self, case: Case) -> bool:
        if self.candidate.capabilities.unsupported(case) is not None:
            return True
        return case.violation is not None and unspecified(case) is not None


def _oracles(case: Case, symptom: FailureSignature) -> tuple[Oracle, ...]:
    if symptom.sort in (RESULT, PRECISION):
        return tuple(o for o in applicable(case) if o.name in _OF_RESULTS)
    return repeating(symptom.sort, case)


def _calls(trial: Trial, symptom: FailureSignature) -> Mapping[str, Call]:
    """The calls in which a symptom can show, in the order of the campaign."""
    if symptom.sort not in (RESULT, PRECISION):
        return {**trial.calls, **extra_calls(trial, _oracles(trial.case, symptom))}
    part = "backward" if symptom.backward else "forward"
    regimes = (INTEGERS,) if symptom.sort == RESULT else (INTEGERS, REALS)
    wanted = {f"{regime} {part}" for regime in regimes}
    # a module has one call, whatever its symptom
    return {name: call for name, call in trial.calls.items() if name in wanted} or trial.calls
