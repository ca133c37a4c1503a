"""Special values: NaN, infinities, the very large and the very small."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from convcheck.defects.deviations import Array, gives, operand, sums
from convcheck.defects.model import Category, Defect, deviating
from convcheck.defects.problem import Problem

_row = partial(deviating, Category.SPECIAL)


def _where(condition: Callable[[Array], Array], value: float) -> Callable[[Array, Problem], Array]:
    """`value` in place of the elements for which the condition holds."""

    def change(array: Array, _: Problem) -> Array:
        wide = np.asarray(array, np.float64)
        return np.where(condition(wide), value, wide)

    return change


def _clamped(limit: float) -> Callable[[Array, Problem], Array]:
    return lambda output, _: output.clip(-limit, limit)


def _skipping_zeros(a: Array, b: Array) -> Array:
    """A product with a zero weight is skipped, whatever it multiplies."""
    finite = np.isfinite(b)
    total = np.asarray(a @ np.where(finite, b, 0.0))
    # only the few products with non-finite pixels need to be looked at one by one
    for term in np.flatnonzero(~finite.all(axis=(0, 1, 3))):
        weight, pixel = a[..., term : term + 1], b[..., term : term + 1, :]
        total = total + np.where((weight != 0) & ~np.isfinite(pixel), weight * pixel, 0.0)
    return total


def _overflowing(x: Array, _: Problem) -> Array:
    wide = np.asarray(x, np.float64)
    return np.where(np.abs(wide) > 1e30, np.copysign(np.inf, wide), wide)


def _saturating(x: Array, _: Problem) -> Array:
    return np.nan_to_num(np.asarray(x, np.float64), nan=np.nan, posinf=65504.0, neginf=-65504.0)


def _over_rows(output: Array, _: Problem) -> Array:
    return np.where(np.isnan(output).any(axis=-1, keepdims=True), np.nan, output)


_SPECIAL = "values == 'special'"
_tiny = _where(lambda a: np.abs(a) < 1e-6, 0.0)

DEFECTS: Final[tuple[Defect, ...]] = (
    _row("nan-to-zero", "NaN in the input taken for zero", "", operand("x", _where(np.isnan, 0.0)), data=_SPECIAL),
    _row("nan-result-to-zero", "a result of NaN given as zero", "", gives(_where(np.isnan, 0.0)),
         data=_SPECIAL),
    _row("nan-over-row", "a row with one NaN given as NaN altogether", "output_w > 1",
         gives(_over_rows), data=_SPECIAL),
    _row("zero-weights-skipped", "products with a zero weight skipped, also those with NaN and Inf",
         "", sums(_skipping_zeros), data=_SPECIAL),
    _row("minus-inf-as-plus-inf", "−Inf in the input taken for +Inf",
         "", operand("x", _where(lambda a: a == -np.inf, np.inf)), data=_SPECIAL),
    _row("inf-saturates", "Inf in the input taken for the largest float16",
         "", operand("x", _saturating), data=_SPECIAL),
    _row("negatives-cut", "a ReLU fused to the output", "", gives(lambda a, _: np.maximum(a, 0.0))),
    _row("clamped-at-six", "the output clamped to ±6, as by a fused activation", "", gives(_clamped(6.0))),
    _row("clamped-at-ten-thousand", "the output clamped to ±10000",
         "", gives(_clamped(1e4))),
    _row("clamped-at-float16", "the output clamped to the range of float16",
         "dtype != 'float16'", gives(_clamped(65504.0))),
    _row("small-skipped", "inputs below 10⁻⁶ taken for zero", "", operand("x", _tiny)),
    _row("small-results-skipped", "results below 10⁻⁶ given as zero", "", gives(_tiny)),
    _row("flushed-below-float32", "inputs below 10⁻³⁰ taken for zero, also normal ones",
         "dtype != 'float16'", operand("x", _where(lambda a: np.abs(a) < 1e-30, 0.0)), data="values == 'subnormal'"),
    _row("large-to-inf", "inputs above 10³⁰ taken for infinite", "dtype != 'float16'",
         operand("x", _overflowing),
         data="values in ('large', 'overflow')"),
)  # fmt: skip
"""The defects of this category."""
