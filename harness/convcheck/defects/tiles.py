"""Tile remainders: what a blocked or vectorised loop leaves over."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from convcheck.defects.deviations import Array, gives, leaves, operand, reads, remapped, sums
from convcheck.defects.model import Category, Defect, deviating
from convcheck.defects.problem import Axis, Indices, Problem, Product

_row = partial(deviating, Category.TILES)


def _column_tail(block: int) -> Callable[[Problem], Any]:
    """The columns after the last multiple of `block`."""
    return lambda problem: (..., slice(problem.columns.output // block * block, None))


def _channel_tail(block: int) -> Callable[[Problem], Any]:
    """In each group, the output channels after the last multiple of `block`."""

    def part(problem: Problem) -> Any:
        channel = np.arange(problem.params.out_channels) % problem.out_per_group
        return slice(None), channel >= problem.out_per_group // block * block

    return part


def _stored_one_left(output: Array, problem: Problem) -> Array:
    output = output.copy()
    start = problem.columns.output // 16 * 16
    output[..., start - 1 : -1] = output[..., start:].copy()
    return output


def _pixel_repeated(output: Array, _: Problem) -> Array:
    flat = output.reshape(*output.shape[:2], math.prod(output.shape[2:])).copy()
    flat[..., 64] = flat[..., 63]
    return flat.reshape(output.shape)


def _last_block(block: int) -> Product:
    """Partial sums of blocks overwrite each other."""

    def product(a: Array, b: Array) -> Array:
        start = (a.shape[-1] - 1) // block * block
        return np.asarray(a[..., start:] @ b[..., start:, :])

    return product


def _whole_blocks(block: int) -> Product:
    """The products after the last multiple of `block` are not summed."""

    def product(a: Array, b: Array) -> Array:
        end = a.shape[-1] // block * block
        return np.asarray(a[..., :end] @ b[..., :end, :])

    return product


def _last_tile_short(axis: Axis, _: Axis) -> Axis:
    """The last tap of the last window lies in a tile that is never loaded."""

    def remap(read: Indices, _position: Indices, _axis: Axis) -> Indices:
        read = read.copy()
        read[-1, -1] = -1
        return read

    return remapped(axis, remap)


def _whole_vectors(x: Array, problem: Problem) -> Array:
    kept = np.arange(x.shape[1]) % problem.in_per_group < problem.in_per_group // 4 * 4
    return np.where(kept[:, None, None], x, np.zeros_like(x))


_WINOGRAD: Final = "kernel_h == kernel_w == 3 and stride_h == stride_w == 1 and dilation_h == dilation_w == 1"

DEFECTS: Final[tuple[Defect, ...]] = (
    _row("column-tail-of-four", "the last column of rows of 4m + 1 left at zero",
         "output_w > 4 and output_w % 4 == 1", leaves(_column_tail(4))),
    _row("column-tail-of-eight", "the columns after the last multiple of eight left at zero",
         "output_w > 8 and output_w % 8 != 0", leaves(_column_tail(8))),
    _row("column-tail-shifted", "the columns after the last multiple of sixteen stored one to the left",
         "output_w > 16 and output_w % 16 != 0", gives(_stored_one_left)),
    _row("row-tail-of-eight", "the rows after the last multiple of eight left at zero",
         "output_h > 8 and output_h % 8 != 0",
         leaves(lambda p: (..., slice(p.rows.output // 8 * 8, None), slice(None)))),
    _row("filter-tail-of-eight", "the output channels of a group after the last multiple of eight left at zero",
         "out_per_group > 8 and out_per_group % 8 != 0", leaves(_channel_tail(8))),
    _row("filter-tail-of-sixteen", "one output channel after a multiple of sixteen left at zero",
         "out_per_group > 16 and out_per_group % 16 == 1", leaves(_channel_tail(16))),
    _row("channel-tail-of-four", "the input channels of a group after the last multiple of four not read",
         "in_per_group > 4 and in_per_group % 4 != 0", operand("x", _whole_vectors)),
    _row("channel-block-overwrites", "sums over blocks of 256 products of which only the last is kept",
         "in_per_group * kernel_h * kernel_w > 256", sums(_last_block(256))),
    _row("product-tail-of-eight", "one product after a multiple of eight not summed",
         "in_per_group * kernel_h * kernel_w > 8 and in_per_group * kernel_h * kernel_w % 8 == 1",
         sums(_whole_blocks(8))),
    _row("images-beyond-four", "images beyond the fourth replaced by the first four again",
         "batch > 4", operand("x", lambda x, _: x[np.arange(len(x)) % 4])),
    _row("images-beyond-sixteen", "images beyond the sixteenth left at zero",
         "batch > 16", leaves(lambda _: slice(16, None))),
    _row("row-33", "the first row after 32 left at zero",
         "output_h > 32", leaves(lambda _: (..., 32, slice(None)))),
    _row("pixel-65", "the first pixel after 64 repeating the one before",
         "output_h * output_w > 64", gives(_pixel_repeated)),
    _row("winograd-odd-width", "3×3 windows at the end of an odd row without their last column",
         f"{_WINOGRAD} and output_w % 2 == 1", reads(columns=_last_tile_short)),
    _row("winograd-last-of-four", "3×3 windows at the end of a row of 4m + 3 without their last column",
         f"{_WINOGRAD} and output_w % 4 == 3", reads(columns=_last_tile_short)),
    _row("single-window-row", "rows of a single window without the last column of the kernel",
         "output_w == 1 and kernel_w > 1", reads(columns=_last_tile_short)),
    _row("three-channels-as-four", "images of three channels without the third where there are eight filters or more",
         "in_channels == 3 and groups == 1 and out_channels >= 8",
         operand("x", lambda x, _: np.concatenate([x[:, :2], 0 * x[:, 2:]], axis=1))),
)  # fmt: skip
"""The defects of this category."""
