"""Gradients: wrong behind a right output."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from convcheck.defects.deviations import Array, gives, leaves, only, operand, reads, reads_both, remapped, reversed_taps
from convcheck.defects.model import Category, Defect, deviating
from convcheck.defects.problem import Axis, Indices, Problem
from convcheck.model.profiles import Quantity

_row = partial(deviating, Category.GRADIENTS)
_INPUT: Final[tuple[Quantity, ...]] = ("grad_input",)
_WEIGHT: Final[tuple[Quantity, ...]] = ("grad_weight",)
_BIAS: Final[tuple[Quantity, ...]] = ("grad_bias",)


def _left_over_repeats(gradient: Array, problem: Problem) -> Array:
    """Rows that no window reads hold the gradient of the last row that one reads."""
    gradient = gradient.copy()
    read = max(0, int(problem.rows.sources().max()))
    gradient[..., read + 1 :, :] = gradient[..., read : read + 1, :]
    return gradient


def _gap_repeats(gradient: Array, problem: Problem) -> Array:
    """Columns between two windows hold the gradient of the column before."""
    read = np.unique(problem.columns.sources())
    read = read[read >= 0]
    if not len(read):
        return gradient
    width = np.arange(gradient.shape[-1])
    nearest = read[(np.searchsorted(read, width, side="right") - 1).clip(0)]
    return gradient[..., nearest]


def _overwritten(axis: Axis, _: Axis) -> Axis:
    """Of the windows that read a pixel through different taps, only the first tap counts."""

    def remap(read: Indices, _position: Indices, own: Axis) -> Indices:
        seen = np.zeros(own.size, bool)
        kept = np.full_like(read, -1)
        for tap in range(own.kernel):
            new = (read[:, tap] >= 0) & ~seen[read[:, tap]]
            kept[new, tap] = read[new, tap]
            seen[read[new, tap]] = True
        return kept

    return remapped(axis, remap)


def _exchanged(axis: Axis, other: Axis) -> Axis:
    return replace(axis, stride=other.stride)


def _group_zero(x: Array, problem: Problem) -> Array:
    return x[:, np.arange(x.shape[1]) % problem.in_per_group]


def _one_image(array: Array, _: Problem) -> Array:
    return np.where(np.arange(len(array))[:, None, None, None] < 1, array, np.zeros_like(array))


def _but_last_filter(grad: Array, problem: Problem) -> Array:
    last = (np.arange(grad.shape[1]) + 1) % problem.out_per_group == 0
    return np.where(last[:, None, None], np.zeros_like(grad), grad)


def _symmetric(axis: Axis, _: Axis) -> Axis:
    return replace(axis, before=axis.after, after=axis.before)


_inside = only(lambda position, axis: (position >= 0) & (position < axis.size))

DEFECTS: Final[tuple[Defect, ...]] = (
    _row("grad-input-not-flipped", "an input gradient that correlates where it should convolve",
         "kernel_h > 1 or kernel_w > 1", reads_both(reversed_taps, on=_INPUT)),
    _row("grad-input-left-over", "an input gradient that repeats its last row in the left-over rows",
         "left_over_h > pad_bottom", gives(_left_over_repeats, on=_INPUT)),
    _row("grad-input-gaps", "an input gradient that is not zero between windows further apart than they are wide",
         "stride_w > kernel_w and output_w > 1", gives(_gap_repeats, on=_INPUT)),
    _row("grad-input-overwritten", "an input gradient in which overlapping windows overwrite each other",
         "stride_w < extent_w and output_w > 1", reads(columns=_overwritten, on=_INPUT)),
    _row("grad-input-stride-exchanged", "an input gradient with stride height and width exchanged",
         "stride_h != stride_w", reads_both(_exchanged, on=_INPUT)),
    _row("grad-input-same-padding", "an input gradient with the odd pixel of 'same' on the other side",
         "padding_same and padding_w != pad_right", reads(columns=_symmetric, on=_INPUT)),
    _row("grad-input-padding-dropped", "an input gradient without that of the copies in the padding",
         "padding_mode != 'zeros' and (pad_bottom > 0 or pad_right > 0)", reads_both(_inside, on=_INPUT)),
    _row("grad-input-circular-dropped", "an input gradient without that of the columns that wrap around",
         "padding_mode == 'circular' and pad_right > 0", reads(columns=_inside, on=_INPUT)),
    _row("grad-input-one-filter-less", "an input gradient without the last filter of a group of nine or more",
         "out_per_group > 8",
         operand("grad_output", _but_last_filter, on=_INPUT)),
    _row("grad-weight-without-dilation", "a weight gradient with a dilation of 1",
         "dilation_w > 1 and kernel_w > 1", reads(columns=lambda axis, _: replace(axis, dilation=1), on=_WEIGHT)),
    _row("grad-weight-without-padding", "a weight gradient that takes every mode of padding for zeros",
         "padding_mode != 'zeros' and (pad_bottom > 0 or pad_right > 0)", reads_both(_inside, on=_WEIGHT)),
    _row("grad-weight-stride-exchanged", "a weight gradient with stride height and width exchanged",
         "stride_h != stride_w", reads_both(_exchanged, on=_WEIGHT)),
    _row("grad-weight-of-first-group", "a weight gradient in which every group reads the first one's input",
         "groups > 1", operand("x", _group_zero, on=_WEIGHT)),
    _row("grad-weight-last-column", "a weight gradient without the last column of the kernel",
         "kernel_w > 1", leaves(lambda _: (..., -1), on=_WEIGHT)),
    _row("grad-weight-mean", "a weight gradient averaged over the images",
         "batch > 1", gives(lambda g, p: g / p.batch, on=_WEIGHT)),
    _row("grad-weight-depthwise-one-image", "a weight gradient of depthwise layers from the first image only",
         "groups > 1 and in_per_group == 1 and batch > 1", operand("x", _one_image, on=_WEIGHT)),
    _row("grad-bias-mean", "a bias gradient averaged over the images",
         "bias and batch > 1", gives(lambda g, p: g / p.batch, on=_BIAS)),
    _row("grad-bias-one-image", "a bias gradient from the first image only",
         "bias and batch > 1", operand("grad_output", _one_image, on=_BIAS)),
    _row("grad-bias-column-tail", "a bias gradient without the columns after the last multiple of four",
         "bias and output_w > 4 and output_w % 4 != 0",
         operand("grad_output", lambda g, p: g[..., : p.columns.output // 4 * 4], on=_BIAS)),
)  # fmt: skip
"""The defects of this category."""
