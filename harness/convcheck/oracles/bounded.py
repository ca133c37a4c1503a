"""Bounded reals: the output of the real-valued regime, within the derived bound of the declared profile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from convcheck.model.levels import Level
from convcheck.model.profiles import Quantity
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.oracle import PRECISION, AtScale, Expectation, Oracle, Priority
from convcheck.oracles.support.compare import compare_bounded
from convcheck.oracles.support.error_level import flushing, level_of_bounded, level_of_error
from convcheck.oracles.support.exercised import exercised
from convcheck.oracles.support.trial import REALS, Trial, plain_key
from convcheck.oracles.support.vacuity import too_few_judged, vacuous

NAME = "bounded"

_REGIME_CLAUSES = {
    "subnormal": "C2D-SPECIAL-3",
    "large": "C2D-SPECIAL-4",
    "overflow": "C2D-SPECIAL-4",
    "cancelling": "C2D-SPECIAL-5",
}


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge the output of a finite regime (clause C2D-ARITH-2 and whatever the case exercises)."""
    yield from judge_bounded(trial, "output", NAME, "C2D-ARITH-2")


def judge_bounded(trial: Trial, quantity: Quantity, oracle: str, clause: str) -> Iterator[Verdict]:
    """Judge one quantity of a finite real-valued regime."""
    case = trial.case
    if case.regime == "special":
        return
    got = trial.returned(REALS, quantity)
    if got is None or got.size == 0:
        return
    profile = trial.capabilities.promised(case, quantity)
    regime = [_REGIME_CLAUSES[case.regime]] if case.regime in _REGIME_CLAUSES else []
    clauses = (*regime, *exercised(case, quantity), clause)
    if case.regime in ("large", "overflow"):
        clauses = (*clauses, "C2D-ARITH-3")
    expected = trial.expected_reals
    found = expected.sum(quantity)
    bound = expected.bound(quantity, profile)
    if bound is None:
        reason = expected.unbounded(quantity, profile)
        yield Verdict(oracle, quantity, Status.VACUOUS, clauses, reason)
        return
    compared = compare_bounded(got, found.value, bound, quantity)
    if compared.status is Status.PASS:
        # right where poison would have stood
        written = ("C2D-PURE-2",) if trial.poisoned(REALS, quantity) else ()
        reason = too_few_judged(compared.judged, got.size) or vacuous(found, quantity, case)
        status = Status.VACUOUS if reason else Status.PASS
        level = level_of_bounded(case.regime)
        yield Verdict(oracle, quantity, status, (*clauses, *written), reason, compared.margin, level=level)
        return
    reason = f"{quantity} is {compared.margin:.3g} times the largest legal error of {profile.name} away"
    if compared.status is Status.UNWRITTEN:
        clauses = ("C2D-PURE-2", *clauses)
        reason = f"{quantity} holds what was in memory before the call"
    level = level_of_error(got, found, bound, expected.bound(quantity, flushing(profile)), case.regime)
    yield Verdict(oracle, quantity, compared.status, clauses, reason, compared.margin, compared.evidence, level)


def expectation(trial: Trial, quantity: Quantity) -> Expectation:
    """The reference's reals, and the derived bound; infinite where there is none."""
    expected = trial.expected_reals
    value = expected.sum(quantity).value
    bound = expected.bound(quantity, trial.capabilities.promised(trial.case, quantity))
    return Expectation(plain_key(REALS, quantity), value, np.full(value.shape, np.inf) if bound is None else bound)


ORACLE: Final = Oracle(
    NAME,
    judge,
    level=Level.PRECISION,
    kind=PRECISION,
    priority=Priority.PRECISION,
    expectation=expectation,
    at_scale=AtScale.SLICES,
)
