"""Accumulators: the right products, with partial sums kept in fewer bits than promised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np

from convcheck.defects.deviations import FORWARD, Array, Compute, Deviation, Quantities, rounded
from convcheck.defects.model import Category, Defect, deviating
from convcheck.defects.problem import Indices, Problem
from convcheck.model.profiles import Quantity

Cut: TypeAlias = Callable[[Indices, int], Indices]
"""From the place of each product in a sum and their number: which partial sum it belongs to."""

_row = partial(deviating, Category.PRECISION)


def split(parts: int) -> Cut:
    """As many partial sums, of as many products each."""
    return lambda place, count: place * parts // count


def blocks(size: int) -> Cut:
    """Partial sums of `size` products, one after the other."""
    return lambda place, _: place // size


def parts(cut: Cut, problem: Problem, quantity: Quantity) -> int:
    """How many partial sums a cut makes of the sums of a quantity."""
    _, place, count = _reduction(problem, quantity)
    return int(cut(place, count).max(initial=0)) + 1


def partial_sums(cut: Cut, name: str, on: Quantities = FORWARD) -> Deviation:
    """Partial sums are rounded to a format, and so is what they are added up to. The bias comes last."""

    def deviate(compute: Compute) -> Compute:
        def deviating(problem: Problem, quantity: Quantity) -> Array:
            if quantity not in on:
                return compute(problem, quantity)
            operand, place, count = _reduction(problem, quantity)
            part, values = cut(place, count), getattr(problem, operand)
            total = np.zeros(())
            for number in range(parts(cut, problem, quantity)):
                factor: dict[str, Any] = {operand: np.where(part == number, values, np.zeros_like(values))}
                summed = compute(replace(problem, bias=None, **factor), quantity)
                with np.errstate(over="ignore", invalid="ignore"):  # partial sums may be too large for the format
                    total = rounded(total + rounded(summed, name), name)
            if quantity != "output" or problem.bias is None:
                return total
            return np.asarray(total + problem.bias.astype(np.float64)[:, None, None])

        return deviating

    return deviate


def _reduction(problem: Problem, quantity: Quantity) -> tuple[str, Indices, int]:
    """An operand of the sums of a quantity, the places of its elements in them, and the number of products."""
    params = problem.params
    if quantity == "output":
        return "weight", np.arange(params.fan_in).reshape(1, *params.weight_shape[1:]), params.fan_in
    if quantity == "grad_input":
        taps = params.kernel_size[0] * params.kernel_size[1]
        filters = np.arange(params.out_channels) % problem.out_per_group
        place = filters[:, None] * taps + np.arange(taps)
        return "weight", place.reshape(-1, 1, *params.kernel_size), problem.out_per_group * taps
    windows = problem.batch, problem.rows.output, problem.columns.output
    count = max(1, windows[0] * windows[1] * windows[2])
    return "grad_output", np.arange(windows[0] * windows[1] * windows[2]).reshape(windows[0], 1, *windows[1:]), count


_HALF = "dtype in ('float16', 'bfloat16')"
_NARROW = "dtype in ('float16', 'float32')"

DEFECTS: Final[tuple[Defect, ...]] = (
    _row("split-reduction-in-float16", "two halves of every sum, of channels and taps, added in float16",
         f"{_NARROW} and in_per_group * kernel_h * kernel_w > 1", partial_sums(split(2), "float16")),
    _row("split-reduction-in-bfloat16", "four parts of every sum, of channels and taps, added in bfloat16",
         f"{_HALF} and in_per_group * kernel_h * kernel_w > 1", partial_sums(split(4), "bfloat16")),
    _row("eleven-bit-accumulator", "sums kept in eleven bits after every 16 products",
         f"{_HALF} and in_per_group * kernel_h * kernel_w > 16", partial_sums(blocks(16), "tf32")),
    _row("grad-input-partial-sums-in-float16", "an input gradient of partial sums of 32 products in float16",
         f"{_NARROW} and out_per_group * kernel_h * kernel_w > 32",
         partial_sums(blocks(32), "float16", on=("grad_input",))),
    _row("grad-weight-split-in-float16", "a weight gradient of eight partial sums in float16",
         f"{_NARROW} and batch * output_h * output_w > 1",
         partial_sums(split(8), "float16", on=("grad_weight",))),
    _row("grad-weight-split-in-bfloat16", "a weight gradient of two partial sums in bfloat16",
         f"{_HALF} and batch * output_h * output_w > 1",
         partial_sums(split(2), "bfloat16", on=("grad_weight",))),
    _row("grad-bias-split-in-bfloat16", "a bias gradient of four partial sums in bfloat16",
         f"{_HALF} and bias and batch * output_h * output_w > 1",
         partial_sums(split(4), "bfloat16", on=("grad_bias",))),
)  # fmt: skip
"""More defects of precision."""
