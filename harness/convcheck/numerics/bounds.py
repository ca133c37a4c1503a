"""The bound on legal rounding error of one sum of products.

Sources: Higham, Accuracy and Stability of Numerical Algorithms (2002), section 3.1 (γ_n, any order of
summation, with or without fused operations); Higham & Mary, A New Approach to Probabilistic Rounding
Error Analysis (2019), theorem 2.4, with λ = 8: each sum fails with probability ≤ 2·exp(−λ²/2) = 2.5·10⁻¹⁴.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.profiles import Profile
from convcheck_reference.formats import FLOAT64, Format

Array = NDArray[np.float64]

LAMBDA: Final = 8.0
SECOND_ORDER: Final = 4.0
"""In units of u, what T(n) has beyond λ√n·u."""

MOST_RELATIVE_ERROR: Final = 0.1
"""Where n·u exceeds this, no useful bound exists (16-bit accumulators and long sums)."""


def gamma(n: int, u: float) -> float:
    """γ_n = n·u / (1 − n·u); infinite where n·u ≥ 1."""
    return n * u / (1.0 - n * u) if n * u < 1.0 else math.inf


def accumulation_error(profile: Profile, n: int) -> float:
    """T(n): relative to Σ|a||b|, the largest error of summing n products in the profile's accumulator.

    min(γ_n, (λ√n + 4)·u) for rounding to nearest. Truncation has no such gain: its errors all point the same way.
    """
    worst = worst_accumulation_error(profile, n)
    return (
        worst
        if profile.truncating
        else min(worst, (LAMBDA * math.sqrt(n) + SECOND_ORDER) * profile.accumulator.unit_roundoff)
    )


def worst_accumulation_error(profile: Profile, n: int) -> float:
    """T(n) for products of which many are equal: γ_n, with twice the unit roundoff for truncation.

    A number that is added again and again is rounded the same way each time while the sum stays in one binade,
    so the roundings are not the independent ones of theorem 2.4.
    """
    return gamma(n, (2.0 if profile.truncating else 1.0) * profile.accumulator.unit_roundoff)


def usual_margin(profile: Profile, result: Format, n: int) -> float:
    """About the largest share of the bound that a sum of n products of one magnitude takes up.

    Independent roundings add up to √n of them (theorem 2.4 with λ = 1), and one more rounds the result.
    """
    u_out, u = result.unit_roundoff, profile.accumulator.unit_roundoff
    return (u_out + math.sqrt(n) * u) / (u_out + accumulation_error(profile, n + 1))


def is_meaningful(profile: Profile, n: int) -> bool:
    """Whether the bound says anything for sums of n products."""
    return n * profile.accumulator.unit_roundoff <= MOST_RELATIVE_ERROR


def error_bound(
    profile: Profile,
    result: Format,
    n: int,
    gauge: Array,
    value: Array,
    *,
    operands: tuple[float, float],
    before_bias: Array | None = None,
    complex_products: bool = False,
    accumulation: Callable[[Profile, int], float] = accumulation_error,
) -> Array:
    """B, elementwise: |ŷ − y| ≤ B for every legal computation of y = Σ a·b (+ bias).

    B = [(1+ε)²−1]·S + (1+ε)²·T(n+1)·S + u_out·(|y| + the terms before) + γ_n(2⁻⁵³)·S + η, with S the
    gauge Σ|a||b| (+ |bias|), ε the rounding of the operands and η the underflow: half a subnormal spacing
    for each product (a whole one where sums are truncated) and for the result or, where subnormals may be flushed, the
    smallest normal for each operand (times the other), product, partial sum and result; where operands are rounded,
    ε·x_min for each operand that is subnormal (times the other). γ_n(2⁻⁵³)·S covers the float64 reference itself.

    A complex product formed from three real ones, (ac − bd) + i((a+b)(c+d) − ac − bd), sums three gauges,
    of operands that are rounded once more each: T(n+3) taken three times and two roundings more.

    Where the sum is rounded to the format of the result before the bias is added, that is one rounding more, of what
    was summed: u_out·|ŝ| and what underflows, with |ŝ| at most |s| and the error of the sum.

    Args:
        profile: the promise.
        result: format of the result.
        n: number of products per element.
        gauge: S; for complex values with |a| = |re a| + |im a|.
        value: y, the reference; its modulus for complex values.
        operands: the largest |a| and |b|.
        before_bias: s, y without its bias, where it is rounded before that is added; else None.
        complex_products: whether the operands are complex.
        accumulation: T.
    """
    growth = (1.0 + profile.input_rounding) ** 2
    error = growth - 1.0 + growth * accumulation(profile, n + 1) + gamma(n + 1, FLOAT64.unit_roundoff)
    if complex_products:
        u = profile.accumulator.unit_roundoff
        error = 3.0 * (error + 2.0 * u + accumulation(profile, n + 3))
    # each component of a complex product takes up to four real ones
    products = 4 * n if complex_products else n
    u_out = result.unit_roundoff
    bound = gauge * (error * (1.0 + u_out))
    bound += np.abs(value) * u_out
    lost = underflow(profile, result, products, operands)
    bound += lost
    if before_bias is not None:
        rounded_first = u_out * (np.abs(before_bias) + gauge * error + lost) + underflow(profile, result, 0, operands)
        # the result is rounded with this error in it
        bound += rounded_first * (1.0 + u_out)
    return bound


def overflow_possible(profile: Profile, result: Format, n: int, gauge: Array | float) -> NDArray[np.bool_]:
    """Where some order of summation may exceed the largest finite number: S·(1 + T) > max; S may be a bound of all."""
    largest = min(result.largest, profile.accumulator.largest)
    return np.logical_not(gauge * (1.0 + 2.0 * accumulation_error(profile, n + 1)) <= largest)


def underflow(profile: Profile, result: Format, n: int, operands: tuple[float, float]) -> float:
    """The η of `error_bound` for n real products, with what underflows in the float64 reference."""
    # what is cut loses up to a spacing, what is rounded half of one
    of_product = profile.accumulator.underflow_error * (2.0 if profile.truncating else 1.0)
    gradual = n * (of_product + FLOAT64.underflow_error) + result.underflow_error
    # an operand that is subnormal is rounded by an absolute error, not by ε
    gradual += n * sum(operands) * profile.input_rounding * result.smallest_normal
    if not profile.flushes_subnormals:
        return gradual
    flushed = n * (2.0 + sum(operands)) * result.smallest_normal
    return gradual + flushed + result.smallest_normal
