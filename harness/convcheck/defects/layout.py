"""Layout: memory read as if it lay otherwise."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from convcheck.defects.deviations import BACKWARD, Array, gives, operand
from convcheck.defects.model import Category, Defect, deviating
from convcheck.defects.problem import Problem

_row = partial(deviating, Category.LAYOUT)
Misread = Callable[[Array, Problem], Array]


def _memory_order(array: Array, _: Problem) -> Array:
    """A permuted view read as if it were contiguous."""
    if any(stride <= 0 for stride, size in zip(array.strides, array.shape, strict=True) if size > 1):
        return array
    return np.ravel(array, order="K").reshape(array.shape)


def _if_channels_last(misread: Misread) -> Misread:
    return lambda array, problem: misread(array, problem) if _is_channels_last(array) else array


def _if_transposed(misread: Misread) -> Misread:
    return lambda array, problem: array if _is_channels_last(array) else misread(array, problem)


def _is_channels_last(array: Array) -> bool:
    return array.shape[-3] > 1 and array.strides[-3] == array.itemsize


def _first_copy_only(array: Array, _: Problem) -> Array:
    """What lies behind a view of stride 0, had it none: here, zeros."""
    array_read = np.array(array)
    for axis, (size, stride) in enumerate(zip(array.shape, array.strides, strict=True)):
        if size > 1 and stride == 0:
            array_read[(slice(None),) * axis + (slice(1, None),)] = 0
    return array_read


def _forwards(array: Array, _: Problem) -> Array:
    """Rows of a negative stride read from left to right."""
    return array[..., ::-1] if array.strides[-1] < 0 and array.size else array


def _without_gaps(array: Array, _: Problem) -> Array:
    """A view with gaps between its rows read from its first element on."""
    pixel, row = array.strides[-1], array.strides[-2]
    if not array.size or pixel != array.itemsize or row <= pixel * array.shape[-1]:
        return array
    memory, first = _memory(array)
    read = (first + np.arange(array.size)).clip(0, memory.size - 1)
    return np.asarray(memory[read].reshape(array.shape))


def _without_offset(array: Array, _: Problem) -> Array:
    """A view with gaps read from the start of the memory that it lies in, with its own strides."""
    if not array.size or array.strides[-2] <= array.itemsize * array.shape[-1] or array.strides[-1] != array.itemsize:
        return array
    memory, _first = _memory(array)
    steps = [np.arange(n) * (s // array.itemsize) for n, s in zip(array.shape, array.strides, strict=True)]
    return np.asarray(memory[sum(np.ix_(*steps))])


def _memory(array: Array) -> tuple[Array, int]:
    """The allocation that a view lies in, flat, and where the view begins there."""
    root = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    return np.ravel(root, order="K"), (array.ctypes.data - root.ctypes.data) // array.itemsize


def _stored_channels_last(output: Array, problem: Problem) -> Array:
    """The result written pixel by pixel into memory that is called contiguous."""
    if not _is_channels_last(problem.x):
        return output
    return output.transpose(0, 2, 3, 1).reshape(output.shape)


DEFECTS: Final[tuple[Defect, ...]] = (
    _row("channels-last-input", "a channels_last input read as contiguous",
         "in_channels > 1 and height * width > 1", operand("x", _if_channels_last(_memory_order)),
         data="permuted_x"),
    _row("channels-last-weight", "a channels_last weight read as contiguous",
         "in_per_group > 1 and kernel_h * kernel_w > 1", operand("weight", _if_channels_last(_memory_order)),
         data="permuted_weight"),
    _row("channels-last-result", "the result for a channels_last input written in that order, but not so described",
         "in_channels > 1 and out_channels > 1 and output_h * output_w > 1", gives(_stored_channels_last),
         data="permuted_x"),
    _row("transposed-input", "an input with its axes stored transposed read as contiguous",
         "height > 1 and width > 1", operand("x", _if_transposed(_memory_order)), data="permuted_x"),
    _row("transposed-weight", "a weight with its axes stored transposed read as contiguous",
         "kernel_h > 1 and kernel_w > 1", operand("weight", _if_transposed(_memory_order)),
         data="permuted_weight"),
    _row("row-gaps-ignored", "an input with gaps between its rows read without them",
         "", operand("x", _without_gaps), data="gaps_x"),
    _row("storage-offset-ignored", "an input that begins inside its memory read from the start of it",
         "", operand("x", _without_offset), data="gaps_x"),
    _row("expanded-input", "an input of stride 0 read as contiguous, with zeros behind it",
         "batch > 1 or unbatched", operand("x", _first_copy_only), data="repeated_x"),
    _row("reversed-input", "rows of a negative stride read forwards",
         "width > 1", operand("x", _forwards), data="layout_x == 'reversed'"),
    _row("expanded-grad-output", "a gradient of stride 0 read as contiguous, with zeros behind it",
         "batch > 1 or unbatched", operand("grad_output", _first_copy_only, on=BACKWARD),
         data="repeated_grad"),
    _row("permuted-grad-output", "a channels_last or transposed gradient read as contiguous",
         "", operand("grad_output", _memory_order, on=BACKWARD), data="permuted_grad"),
)  # fmt: skip
"""The defects of this category."""
