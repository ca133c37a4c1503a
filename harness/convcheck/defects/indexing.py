"""Indexing: the right numbers, taken from the wrong places."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from convcheck.defects.deviations import EVERYWHERE, Array, operand, reads, reads_both, remapped, reversed_taps
from convcheck.defects.model import Category, Defect, deviating
from convcheck.defects.problem import Axis, Problem

_row = partial(deviating, Category.INDEXING)


def _as_width_by_height(weight: Array, _: Problem) -> Array:
    out, into, high, wide = weight.shape
    return weight.reshape(out, into, wide, high).swapaxes(-1, -2)


def _as_channels_last(weight: Array, _: Problem) -> Array:
    out, into, high, wide = weight.shape
    return weight.reshape(out, high, wide, into).transpose(0, 3, 1, 2)


def _output_pitch(x: Array, problem: Problem) -> Array:
    """Rows lie as far apart as those of the output."""
    height, width = x.shape[-2:]
    at = np.arange(height)[:, None] * problem.columns.output + np.arange(width)
    return x.reshape(*x.shape[:2], height * width)[..., at.clip(0, height * width - 1)]


def _transposed_channels(weight: Array, problem: Problem) -> Array:
    blocks = weight.reshape(problem.params.groups, problem.out_per_group, problem.in_per_group, 1, 1)
    return blocks.swapaxes(1, 2).reshape(weight.shape)


def _checked_against(axis: Axis, other: Axis) -> Axis:
    return remapped(axis, lambda read, _position, _axis: np.where(read < other.size, read, -1))


def _clamped(axis: Axis, _: Axis) -> Axis:
    return remapped(axis, lambda _read, position, own: position.clip(0, own.size - 1))


def _centred(axis: Axis, _: Axis) -> Axis:
    return replace(axis, before=axis.before + 1, after=axis.after + 1)


DEFECTS: Final[tuple[Defect, ...]] = (
    _row("kernel-flipped", "the kernel flipped along both axes, output and gradients alike",
         "kernel_h > 1 or kernel_w > 1", reads_both(reversed_taps, on=EVERYWHERE)),
    _row("kernel-flipped-width", "the kernel flipped along its width",
         "kernel_w > 1", reads(columns=reversed_taps)),
    _row("square-kernel-transposed", "a square kernel transposed",
         "kernel_h == kernel_w and kernel_h > 1", operand("weight", lambda w, _: w.swapaxes(-1, -2))),
    _row("kernel-sides-exchanged", "the weight laid out as (out, in, width, height)",
         "kernel_h != kernel_w and kernel_h > 1 and kernel_w > 1", operand("weight", _as_width_by_height)),
    _row("weight-read-channels-last", "the weight laid out as (out, height, width, in)",
         "in_per_group > 1 and (kernel_h > 1 or kernel_w > 1)", operand("weight", _as_channels_last)),
    _row("even-kernel-centred", "an even kernel one column further left",
         "kernel_w % 2 == 0", reads(columns=_centred)),
    _row("last-tap-skipped", "kernels wider than four without their last column",
         "kernel_w > 4", operand("weight", lambda w, _: np.concatenate([w[..., :-1], 0 * w[..., -1:]], -1))),
    _row("pitch-of-output", "input rows that lie an output row apart",
         "height > 1 and output_w != width", operand("x", _output_pitch)),
    _row("one-by-one-transposed", "the weight of a 1×1 layer transposed where it is square",
         "kernel_h == 1 and kernel_w == 1 and in_per_group == out_per_group and in_per_group > 1",
         operand("weight", _transposed_channels)),
    _row("column-checked-against-height", "columns beyond the height read as padding",
         "width > height", reads(columns=_checked_against)),
    _row("taps-clamped-to-image", "zero padding that repeats the edge pixel",
         "padding_mode == 'zeros' and (pad_bottom > 0 or pad_right > 0)", reads_both(_clamped)),
    _row("axes-exchanged", "a square layer on the image transposed",
         "kernel_h == kernel_w and height == width and stride_h == stride_w and dilation_h == dilation_w"
         " and padding_h == padding_w and height > 1",
         operand("x", lambda x, _: x.swapaxes(-1, -2))),
)  # fmt: skip
"""The defects of this category."""
