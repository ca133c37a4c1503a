"""Precision: the right sums, with fewer bits than promised."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np

from convcheck.defects.deviations import (
    BACKWARD,
    FORWARD,
    Array,
    Deviation,
    Quantities,
    accumulated,
    both,
    gives,
    operand,
    rounded,
    sums,
)  # fmt: skip
from convcheck.defects.model import Category, Defect, deviating
from convcheck.defects.problem import Problem

_row = partial(deviating, Category.PRECISION)


def _operands(name: str, on: Quantities = FORWARD) -> Deviation:
    def narrow(array: Array, _: Problem) -> Array:
        return rounded(array, name)

    return both(*(operand(which, narrow, on) for which in ("x", "weight", "grad_output")))


def _int8(weight: Array, _: Problem) -> Array:
    """One scale for the whole tensor, 127 steps on each side."""
    wide = np.asarray(weight, np.float64)
    step = float(np.abs(wide[np.isfinite(wide)]).max(initial=0.0)) / 127.0
    return np.asarray(np.rint(wide / step) * step) if step else wide


def _one_narrow_accumulator(a: Array, b: Array) -> Array:
    """Four interleaved accumulators, the last of which is kept in float16."""
    parts = [np.asarray(a[..., first::4] @ b[..., first::4, :]) for first in range(4)]
    return np.asarray(parts[0] + parts[1] + parts[2] + rounded(parts[3], "float16"))


_FLOAT32 = "dtype == 'float32'"

DEFECTS: Final[tuple[Defect, ...]] = (
    _row("tf32-undeclared", "operands rounded to TF32, undeclared", _FLOAT32, _operands("tf32")),
    _row("bfloat16-operands", "operands rounded to bfloat16, undeclared", _FLOAT32, _operands("bfloat16")),
    _row("float16-operands", "operands rounded to float16, undeclared", _FLOAT32, _operands("float16")),
    _row("float16-result", "a result rounded to float16 on the way",
         _FLOAT32, gives(lambda a, _: rounded(a, "float16"))),
    _row("bfloat16-result", "a result rounded to bfloat16 on the way",
         "dtype in ('float32', 'float16')", gives(lambda a, _: rounded(a, "bfloat16"))),
    _row("float16-accumulation", "partial sums kept in float16",
         "dtype in ('float32', 'float16')", sums(accumulated(1, "float16"))),
    _row("bfloat16-partial-sums", "partial sums rounded to bfloat16 after every 32 products",
         "dtype in ('float32', 'bfloat16')", sums(accumulated(32, "bfloat16"))),
    _row("one-narrow-accumulator", "four accumulators of which the last is kept in float16",
         "dtype == 'float32' and in_per_group * kernel_h * kernel_w >= 4", sums(_one_narrow_accumulator)),
    _row("float64-in-float32", "float64 computed in float32",
         "dtype == 'float64'", both(_operands("float32"), gives(lambda a, _: rounded(a, "float32")))),
    _row("int8-weight", "the weight quantised to eight bits", "dtype != 'bfloat16'", operand("weight", _int8)),
    _row("bias-in-bfloat16", "the bias rounded to bfloat16",
         "bias and dtype != 'bfloat16'", operand("bias", lambda b, _: rounded(b, "bfloat16"))),
    _row("tf32-gradients", "operands of the gradients rounded to TF32, undeclared", _FLOAT32,
         _operands("tf32", on=BACKWARD)),
    _row("float16-weight-gradient", "the weight gradient rounded to float16 on the way", _FLOAT32,
         gives(lambda a, _: rounded(a, "float16"), on=("grad_weight",))),
    _row("scale-not-quite-one", "every result a part in ten thousand too large",
         "dtype in ('float32', 'float64')", gives(lambda a, _: a * (1.0 + 1e-4))),
)  # fmt: skip
"""The defects of this category."""
