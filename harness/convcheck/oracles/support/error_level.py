"""Which level a wrong value is of: lost digits, a special value, or nothing that the right one has anything to do with.

A coarser format, a fast algorithm or another order of summation leaves most digits right; a subnormal number taken for
zero is a matter of IEEE 754, whatever regime it comes up in; what is a quarter of the largest sum of magnitudes away,
or not finite, is wrong, since no arithmetic with four bits loses as much.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.case import Regime
from convcheck.model.levels import Level
from convcheck.model.profiles import Profile
from convcheck.model.verdicts import Status
from convcheck.oracles.support.compare import compare_bounded
from convcheck.oracles.support.sums import Sum

EXTREME: Final[frozenset[Regime]] = frozenset({"large", "overflow", "subnormal", "special"})
"""The regimes whose values are at the ends of a format, or none of its numbers."""

MOST_LOST: Final = 0.25
"""The share of the largest sum of magnitudes, or of a number that is to be copied, that rounding may lose."""


def level_of_bounded(regime: Regime) -> Level:
    """What a result that is within its bound says something about."""
    return Level.IEEE if regime in EXTREME else Level.PRECISION


def flushing(profile: Profile) -> Profile:
    """A promise, but that subnormal numbers may be taken for zero."""
    return replace(profile, flushes_subnormals=True)


def level_of_error(
    got: NDArray[Any],
    found: Sum,
    bound: NDArray[np.float64],
    bound_if_flushed: NDArray[np.float64] | None,
    regime: Regime = "reals",
) -> Level:
    """What a result that is not within its bound is about.

    Args:
        got: the result.
        found: the reference's.
        bound: infinite where it is not judged.
        bound_if_flushed: under `flushing` of the profile; None where there is none.
        regime: of the data.
    """
    judged = np.isfinite(bound)
    if bound_if_flushed is not None:
        compared = compare_bounded(got, found.value, np.where(judged, bound_if_flushed, np.inf))
        if compared.status is Status.PASS:
            return Level.IEEE
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(got.astype(found.value.dtype) - found.value)
        small = error <= MOST_LOST * np.max(found.gauge, where=judged, initial=0.0)
    if small[judged].all():
        return Level.PRECISION
    return Level.IEEE if regime in EXTREME else Level.COMPUTES
