"""Aggregated reals: the errors of all elements of a result together, where operands are rounded.

A bound of each element leaves room for much that nobody promised: operands that are rounded to fewer bits yet, or a
part of the sum in a coarser format. Errors of right results are never as large in all elements at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.levels import Level
from convcheck.model.profiles import QUANTITIES, Profile, Quantity
from convcheck.model.verdicts import Evidence, Status, Verdict
from convcheck.numerics.aggregate_error import Aggregate
from convcheck.oracles.oracle import PRECISION, AtScale, Oracle, Priority
from convcheck.oracles.support.compare import evidence_at, worst_of
from convcheck.oracles.support.exercised import exercised
from convcheck.oracles.support.legal_aggregate import legal_aggregate
from convcheck.oracles.support.trial import REALS, Trial

Array = NDArray[Any]

NAME = "aggregated"


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge output and gradients of regimes with random signs (clause C2D-ARITH-2 and whatever the case exercises)."""
    for quantity in QUANTITIES:
        got = trial.returned(REALS, quantity)
        if got is not None and got.size:
            yield from _judge(trial, quantity, got)


def _judge(trial: Trial, quantity: Quantity, got: Array) -> Iterator[Verdict]:
    profile, expected = trial.capabilities.promised(trial.case, quantity), trial.expected_reals
    legal = legal_aggregate(trial.case, trial.reals, expected, quantity, profile)
    if legal is None:
        return
    value = expected.sum(quantity).value
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(got.astype(value.dtype) - value)
    share = legal.share(error)
    clauses = (*exercised(trial.case, quantity), "C2D-ARITH-2")
    if share <= 1.0:
        yield Verdict(NAME, quantity, Status.PASS, clauses)
        return
    yield Verdict(
        NAME, quantity, Status.FAIL, clauses, _reason(quantity, legal, share, profile), share,
        _evidence(got, value, legal, error, quantity),
    )  # fmt: skip


def _reason(quantity: Quantity, legal: Aggregate, share: float, profile: Profile) -> str:
    return (
        f"{quantity}: the root mean square error of {legal.judged:,} elements is {share:.3g} times the largest that "
        f"{profile.name} can give"
    )


def _evidence(got: Array, value: Array, legal: Aggregate, error: Array, quantity: Quantity) -> Evidence:
    """The largest offender, and where the errors are that are larger than all of them may be on average."""
    judged = np.isfinite(legal.scale)
    ratios = legal.ratios(error)
    wrong = judged & ~(ratios <= legal.most)
    worst = worst_of(judged, ratios)
    due = f"{value[worst]:.9g} ± {legal.most * legal.scale[worst]:.3g} on average"
    return evidence_at(worst, due, got, wrong, judged, quantity)


ORACLE: Final = Oracle(
    NAME, judge, level=Level.PRECISION, kind=PRECISION, priority=Priority.PRECISION, at_scale=AtScale.SLICES
)
