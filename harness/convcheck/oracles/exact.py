"""Exact integers: the output, bit for bit, where every partial sum is exact in the promised accumulator.

Integer sums below 2^p are exact in any order, blocked, fused or split, so equality is asked for; for an
accumulator with few bits, elements whose gauge is larger are left out. Under an algorithm whose
transforms divide, the nearest integer has to be the right one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.profiles import Profile, Quantity
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.oracle import RESULT, AtScale, Expectation, Oracle
from convcheck.oracles.support.compare import Comparison, compare_between, compare_bounded, compare_exact
from convcheck.oracles.support.exercised import exercised
from convcheck.oracles.support.expected import Expected
from convcheck.oracles.support.trial import INTEGERS, Trial, plain_key
from convcheck.oracles.support.vacuity import blind_taps, too_few_judged, vacuous

NAME = "exact"


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge the output of the exact regime (clause C2D-ARITH-1 and whatever the case exercises)."""
    yield from judge_exact(trial, "output", NAME, "C2D-ARITH-1")


def judge_exact(trial: Trial, quantity: Quantity, oracle: str, clause: str) -> Iterator[Verdict]:
    """Judge one quantity of the exact regime."""
    got = trial.returned(INTEGERS, quantity)
    if got is None or got.size == 0:
        return
    profile = trial.capabilities.promised(trial.case, quantity)
    clauses = (*exercised(trial.case, quantity), clause)
    expected = trial.expected_integers
    found = compare_integers(got, expected, quantity, profile)
    if found.status is Status.PASS:
        # right where poison would have stood
        written = ("C2D-PURE-2",) if trial.poisoned(INTEGERS, quantity) else ()
        reason = too_few_judged(found.judged, got.size) or vacuous(expected.sum(quantity), quantity, trial.case)
        if not reason and quantity == "output":
            reason = blind_taps(trial.integers.x, trial.case)
        status = Status.VACUOUS if reason else Status.PASS
        yield Verdict(oracle, quantity, status, (*clauses, *written), reason, calls=1)
        return
    reason = f"{quantity} differs from the exact integer result"
    if found.status is Status.UNWRITTEN:
        clauses = ("C2D-PURE-2", *clauses)
        reason = f"{quantity} holds what was in memory before the call"
    yield Verdict(oracle, quantity, found.status, clauses, reason, evidence=found.evidence)


def expectation(trial: Trial, quantity: Quantity) -> Expectation:
    """The exact integers, and how far from them the declared profile may be."""
    profile, expected = trial.capabilities.promised(trial.case, quantity), trial.expected_integers
    tolerance = expected.integer_tolerance(quantity, profile)
    return Expectation(plain_key(INTEGERS, quantity), expected.integers(quantity, profile), tolerance)


def compare_integers(got: NDArray[Any], expected: Expected, quantity: Quantity, profile: Profile) -> Comparison:
    """A result of integers against the reference, wherever the promised computation gives it away."""
    value = expected.integers(quantity, profile)
    if expected.is_direct(quantity, profile):
        judged = expected.exact(quantity, profile)
        if profile.rounds_before_bias:  # it may be, and need not
            once = expected.sum(quantity).value
            with np.errstate(over="ignore"):  # where it is not finite, it is not judged
                value = np.where(got == once.astype(got.dtype), once, value)
        if profile.exact:
            return compare_exact(got, value, judged, quantity)
        if value.dtype.kind != "c":
            return compare_between(got, *expected.integers_between(quantity, profile), judged, quantity)
    tolerance = expected.integer_tolerance(quantity, profile)
    if (tolerance[np.isfinite(tolerance)] == 0.0).all():
        return compare_exact(got, value, np.isfinite(tolerance), quantity)
    return compare_bounded(got, value, tolerance, quantity)


ORACLE: Final = Oracle(NAME, judge, kind=RESULT, expectation=expectation, at_scale=AtScale.SLICES)
