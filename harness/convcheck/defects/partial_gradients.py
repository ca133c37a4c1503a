"""Partial gradients: wrong where those of some operands alone are asked for, behind right ones of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convcheck.defects.deviations import Deviation, gives, leaves, only, operand, reads, reads_both
from convcheck.defects.model import Category, Defect, DefectBackend, DeviatingBackend
from convcheck.defects.problem import Axis, Problem
from convcheck.model.calls import OPERANDS, Operand
from convcheck.model.profiles import Quantity
from convcheck.model.rules import Rule
from convcheck.plugin.backend import Gradients
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]
Wanted: TypeAlias = tuple[Operand, ...]

_INPUT: Final[tuple[Quantity, ...]] = ("grad_input",)
_WEIGHT: Final[tuple[Quantity, ...]] = ("grad_weight",)
_BIAS: Final[tuple[Quantity, ...]] = ("grad_bias",)


class _Partial(DeviatingBackend):
    """The reference, deviating where some choices of operands are asked for.

    Args:
        guard: which calls deviate, from their arguments, shapes and dtype.
        deviation: how.
        when: for which operands.
    """

    def __init__(self, guard: Rule, deviation: Deviation, when: Callable[[Wanted], bool]) -> None:
        super().__init__(guard, deviation)
        self._when = when

    def conv2d_backward(
        self, grad_output: Array, x: Array, weight: Array, bias: Array | None, params: Conv2dParams
    ) -> Gradients:
        """The three gradients, right."""
        return DefectBackend.conv2d_backward(self, grad_output, x, weight, bias, params)

    def conv2d_partial_backward(
        self,
        wanted: Wanted,
        grad_output: Array,
        x: Array,
        weight: Array,
        bias: Array | None,
        params: Conv2dParams,
    ) -> Gradients:
        """Some of them."""
        if not self._when(wanted):
            return super().conv2d_partial_backward(wanted, grad_output, x, weight, bias, params)
        found = zip(OPERANDS, super().conv2d_backward(grad_output, x, weight, bias, params), strict=True)
        return Gradients(*(gradient if name in wanted else None for name, gradient in found))


def _row(name: str, summary: str, guard: str, deviation: Deviation, when: Callable[[Wanted], bool]) -> Defect:
    rule = Rule(guard)
    return Defect(name, Category.GRADIENTS, summary, rule, lambda: _Partial(rule, deviation, when))


def _without(name: Operand) -> Callable[[Wanted], bool]:
    return lambda wanted: name not in wanted


def _alone(*names: Operand) -> Callable[[Wanted], bool]:
    return lambda wanted: wanted == names


def _one_image(array: Array, _: Problem) -> Array:
    return np.where(np.arange(len(array))[:, None, None, None] < 1, array, np.zeros_like(array))


def _group_zero(x: Array, problem: Problem) -> Array:
    return x[:, np.arange(x.shape[1]) % problem.in_per_group]


def _exchanged(axis: Axis, other: Axis) -> Axis:
    return replace(axis, stride=other.stride)


_inside = only(lambda position, axis: (position >= 0) & (position < axis.size))
_nothing = partial(gives, lambda gradient, _: np.zeros_like(gradient))

DEFECTS: Final[tuple[Defect, ...]] = (
    _row("grad-weight-skipped-without-input", "a weight gradient of zeros where that of the input is not asked for",
         "", _nothing(on=_WEIGHT), _without("x")),
    _row("grad-bias-skipped-without-weight", "a bias gradient of zeros where that of the weight is not asked for",
         "bias", _nothing(on=_BIAS), _without("weight")),
    _row("grad-input-of-frozen-stride", "an input gradient with stride height and width exchanged in frozen layers",
         "stride_h != stride_w", reads_both(_exchanged, on=_INPUT), _alone("x")),
    _row("grad-input-of-frozen-image", "an input gradient of the first image only in frozen layers",
         "batch > 1", operand("grad_output", _one_image, on=_INPUT), _alone("x")),
    _row("grad-weight-of-first-layer-groups", "a weight gradient of a first layer in which every group reads the first",
         "groups > 1", operand("x", _group_zero, on=_WEIGHT), _alone("weight", "bias")),
    _row("grad-weight-of-first-layer-padding", "a weight gradient of a first layer that takes all padding for zeros",
         "padding_mode != 'zeros' and (pad_bottom > 0 or pad_right > 0)", reads_both(_inside, on=_WEIGHT),
         _without("x")),
    _row("grad-weight-alone-dilation", "a weight gradient with a dilation of 1 where it alone is asked for",
         "dilation_w > 1 and kernel_w > 1", reads(columns=lambda axis, _: replace(axis, dilation=1), on=_WEIGHT),
         _alone("weight")),
    _row("grad-weight-beside-input", "a weight gradient without its last column where no bias gradient is asked for",
         "bias and kernel_w > 1", leaves(lambda _: (..., -1), on=_WEIGHT), _alone("x", "weight")),
    _row("grad-bias-alone-mean", "a bias gradient averaged over the images where it alone is asked for",
         "bias and batch > 1", gives(lambda gradient, problem: gradient / problem.batch, on=_BIAS), _alone("bias")),
)  # fmt: skip
"""The defects of this kind."""
