"""Up to which magnitude integer sums are exact."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.profiles import Profile
from convcheck_reference.formats import DTYPES, Format, component_format

_TRUNCATION_BITS: Final = 2
"""Tensor cores align products before they add; two bits of head-room keep integers exact (Fasi et al. 2021)."""

_COMPLEX_BITS: Final = 2
"""Complex products by three real ones sum (re + im)·(re + im): up to four times the components' magnitude."""


def integer_limit(profile: Profile, dtype: str) -> int:
    """The largest Σ|a||b| whose integer partial sums are exact in any order, whether or not `dtype` has such numbers.

    2^p of the accumulator, less head-room for truncating accumulators and complex products; at most its largest finite
    number.
    """
    bits = profile.accumulator.precision
    if profile.truncating:
        bits -= _TRUNCATION_BITS
    if DTYPES[dtype].kind == "c":
        bits -= _COMPLEX_BITS
    return int(min(2.0**bits, profile.accumulator.largest))


def output_limit(profile: Profile, dtype: str) -> int:
    """`integer_limit` of an output that is finite and right to the last bit: where rounded before the bias, twice."""
    limit = integer_limit(within_dtype(profile, dtype) if profile.rounds_before_bias else profile, dtype)
    return int(min(limit, component_format(dtype).largest))


def within_dtype(profile: Profile, dtype: str) -> Profile:
    """The promise as it stands for sums of results: partial results are rounded to `dtype` before they are added.

    Integers sized for it are exact in every result, so that differences and sums of results are as well.
    """
    result = component_format(dtype)
    if profile.accumulator.precision <= result.precision:
        return profile
    return replace(profile, accumulator=result)


def rounded_to(values: NDArray[Any], narrow: Format) -> NDArray[np.float64]:
    """Real values rounded to nearest in a format, subnormals included; infinite beyond its largest number."""
    wide = values.astype(np.float64)
    exponents = np.maximum(np.frexp(wide)[1] - 1, narrow.min_exponent)
    # of float64's own subnormals the spacing is that of the format, and what is below it is not rounded
    spacing = np.ldexp(1.0, np.maximum(exponents - narrow.precision + 1, -1074))
    rounded = np.rint(wide / spacing) * spacing
    return np.asarray(np.where(np.abs(rounded) <= narrow.largest, rounded, np.copysign(np.inf, rounded)))
