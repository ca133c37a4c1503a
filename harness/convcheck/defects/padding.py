"""Padding: its amount, its side, and what it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from convcheck.defects.deviations import EVERYWHERE, Array, gives, only, reads, reads_both, remapped
from convcheck.defects.model import Category, Defect, deviating
from convcheck.defects.problem import Axis, Indices, Problem

_row = partial(deviating, Category.PADDING)
_PADDED = "pad_bottom > 0 or pad_right > 0"


def _padding_of(axis: Axis, other: Axis) -> Axis:
    return replace(axis, before=other.before, after=other.after)


def _without_dilation(axis: Axis, _: Axis) -> Axis:
    total = axis.kernel - 1
    return replace(axis, before=total // 2, after=axis.before + axis.after - total // 2)


def _moved(by: int) -> Callable[[Axis, Axis], Axis]:
    return lambda axis, _: replace(axis, before=axis.before + by, after=axis.after - by)


def _extra_first(axis: Axis, _: Axis) -> Axis:
    return replace(axis, before=axis.after, after=axis.before)


def _repeating_edge(axis: Axis, _: Axis) -> Axis:
    def symmetric(_read: Indices, position: Indices, own: Axis) -> Indices:
        mirrored = np.where(position < 0, -position - 1, position)
        return np.where(mirrored < own.size, mirrored, 2 * own.size - 1 - mirrored)

    return remapped(axis, symmetric)


def _wrapped_short(axis: Axis, _: Axis) -> Axis:
    return remapped(axis, lambda read, position, own: np.where(position < 0, (read - 1) % own.size, read))


def _nothing_in_padding_windows(output: Array, problem: Problem) -> Array:
    """Windows that lie in the padding altogether are skipped before the bias is added."""
    rows, columns = (np.all(axis.sources() < 0, axis=1, keepdims=True) for axis in (problem.rows, problem.columns))
    return np.where(rows | columns.T, 0.0, output)


_inside = only(lambda position, axis: (position >= 0) & (position < axis.size))
_not_right = only(lambda position, axis: position < axis.size)
_not_first = only(lambda position, axis: position > -axis.before)

DEFECTS: Final[tuple[Defect, ...]] = (
    _row("padding-exchanged", "padding height and width exchanged, output and gradients alike",
         "padding_h != padding_w or pad_bottom != pad_right", reads_both(_padding_of, on=EVERYWHERE)),
    _row("padding-one-less-above", "one row of padding too few above, where there are several",
         "padding_h > 1", reads(rows=_moved(-1))),
    _row("same-extra-pixel-first", "the odd pixel of 'same' above and to the left, output and gradients alike",
         "padding_same and (padding_h != pad_bottom or padding_w != pad_right)",
         reads_both(_extra_first, on=EVERYWHERE)),
    _row("same-without-dilation", "'same' padding computed from the kernel as if it were not dilated",
         "padding_same and (dilation_h > 1 and kernel_h > 1 or dilation_w > 1 and kernel_w > 1)",
         reads_both(_without_dilation)),
    _row("replicate-zero-on-the-right", "'replicate' padding with zeros on the right",
         "padding_mode == 'replicate' and pad_right > 0", reads(columns=_not_right)),
    _row("reflect-repeats-edge", "'reflect' padding that repeats the edge pixel, output and gradients alike",
         f"padding_mode == 'reflect' and ({_PADDED})", reads_both(_repeating_edge, on=EVERYWHERE)),
    _row("circular-off-by-one", "'circular' padding that wraps one column too far on the left",
         "padding_mode == 'circular' and padding_w > 0", reads(columns=_wrapped_short)),
    _row("mode-ignored-on-height", "zero padding above and below in every mode",
         "padding_mode != 'zeros' and pad_bottom > 0", reads(rows=_inside)),
    _row("mode-ignored", "zero padding in every mode, output and gradients alike",
         f"padding_mode != 'zeros' and ({_PADDED})", reads_both(_inside, on=EVERYWHERE)),
    _row("window-in-padding-skipped", "windows wholly in the padding left at zero, without their bias",
         "padding_mode == 'zeros' and bias and (padding_h >= extent_h or padding_w >= extent_w)",
         gives(_nothing_in_padding_windows)),
    _row("far-padding-lost", "the outermost column of padding on the left zero in every mode",
         "padding_mode != 'zeros' and padding_w > 1", reads(columns=_not_first)),
    _row("padding-of-stride-one", "the right-hand padding zero in every mode where the stride is not 1",
         "padding_mode != 'zeros' and stride_w > 1 and pad_right > 0", reads(columns=_not_right)),
)  # fmt: skip
"""The defects of this category."""
