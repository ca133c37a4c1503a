"""Agreement: whether two candidates did the same, bit for bit on integers and within legal rounding on reals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Outcome, Raised, Returned
from convcheck.model.profiles import QUANTITIES, Quantity
from convcheck.oracles import CALL, Trial, bounded, special
from convcheck.oracles.support.trial import REALS, plain_key

Array = NDArray[Any]


def agree(a: Trial, b: Trial, quantity: str) -> bool:
    """Whether two candidates gave the same results of a quantity in every call; of all quantities for "call"."""
    quantities = [q for q in QUANTITIES if quantity in (q, CALL)]
    of_reals = [plain_key(REALS, q) for q in QUANTITIES]
    return all(
        _same_outcome(outcome, b.outcomes[key], a if key in of_reals else None, quantities)
        for key, outcome in a.outcomes.items()
    )


def _same_outcome(a: Outcome, b: Outcome, reals: Trial | None, quantities: Sequence[Quantity]) -> bool:
    if not (isinstance(a, Returned) and isinstance(b, Returned)):
        return isinstance(a, Raised) and isinstance(b, Raised)
    return all(_same_array(a.arrays.get(q), b.arrays.get(q), reals, q) for q in quantities)


def _same_array(a: Array | None, b: Array | None, reals: Trial | None, quantity: Quantity) -> bool:
    if a is None or b is None:
        return a is b
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if reals is None:
        return bool(np.array_equal(a, b, equal_nan=True))
    return _within_rounding(a, b, reals, quantity)


def _within_rounding(a: Array, b: Array, trial: Trial, quantity: Quantity) -> bool:
    """Whether two results on reals differ by legal rounding errors of both: by 2·B at most, elementwise."""
    wide = np.complex128 if a.dtype.kind == "c" else np.float64
    left, right = a.astype(wide), b.astype(wide)
    finite = np.isfinite(left) & np.isfinite(right)
    if not np.array_equal(left[~finite], right[~finite], equal_nan=True):
        return False
    of_regime = special.expectation if trial.case.regime == "special" else bounded.expectation
    bound = of_regime(trial, quantity).tolerance
    if bound.shape != left.shape:  # which element of a wrong shape is which is not known
        bound = bound.max(initial=0.0)
    with np.errstate(invalid="ignore"):
        near = np.abs(left - right) <= 2 * bound
    return bool((near | ~finite).all())
