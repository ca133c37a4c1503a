"""Where the elements of a tensor lie: each layout as strides and an offset within a flat memory.

A layout is a view of an array that is C-contiguous in some order of its axes. Along an axis it takes every element,
those from the second on, every second one, those from the last to the first, or one again and again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from operator import mul
from types import MappingProxyType
from typing import Final

from convcheck.model.case import Layout, Placement

ALIGNMENT: Final = 64
"""Bytes, those of the widest SIMD register: the memory of a tensor begins at a multiple, or ends at one."""

_GAP: Final = 3
"""Elements of the larger array before and after a slice: one before, the rest after it."""

_ODD: Final = 7
"""Elements: the stride of an axis along which there is no step to take."""

_AXES: Final = {"": (0,), "channels": (-3,), "rows": (-2,), "columns": (-1,), "pixels": (-2, -1)}
"""The axes that the end of a layout's name means; those that a tensor lacks are left out."""

_DIMENSIONS: Final = 4

TRAITS: Final = ("channels_last", "permuted", "gaps", "repeated", "reversed")
"""NHWC order; another order than C order; memory between elements; one that stands for several; a negative stride."""


@dataclass(frozen=True, slots=True)
class Strides:
    """A view of a flat memory, in elements.

    Attributes:
        memory: elements of the memory.
        offset: of the first element.
        steps: from one element to the next along each axis.
    """

    memory: int
    offset: int
    steps: tuple[int, ...]


@lru_cache(maxsize=4096)
def strides_of(shape: tuple[int, ...], layout: Layout) -> Strides:
    """The view that a layout is for a tensor of some shape.

    A layout that has no meaning for the number of dimensions (channels_last of a bias) is contiguous, as are axes
    that are repeated where there is nothing to repeat.
    """
    name, offset, _ = layout.partition("+offset")
    if name == "offset":
        name, offset = "contiguous", "+offset"
    if name == "reversed":
        name = "reversed_pixels"
    empty = 0 in shape
    stored, start, step = list[int](shape), [0] * len(shape), [1] * len(shape)
    for axis in repeated_axes(layout, len(shape)) if not empty else ():
        stored[axis], step[axis] = 1, 0
    for axis in _axes(name, "step", len(shape)):
        stored[axis], step[axis] = 2 * shape[axis], 2
    for axis in _sliced(name, len(shape)):
        stored[axis], start[axis] = shape[axis] + _GAP, 1
    for axis in _axes(name, "reversed", len(shape)) if not empty else ():
        start[axis], step[axis] = shape[axis] - 1, -1
    dense = _dense(stored, _order(name, len(shape)))
    first = sum(at * stride for at, stride in zip(start, dense, strict=True))
    memory, steps = math.prod(stored), tuple(s * stride for s, stride in zip(step, dense, strict=True))
    if name == "odd_strides":
        steps = tuple(_ODD if size == 1 or not memory else stride for size, stride in zip(shape, steps, strict=True))
    if not memory:
        first = 0
    if offset:
        # odd within an even number of elements: no address at either end of the memory is that of two elements
        first |= 1
        memory += 2 - memory % 2
    return Strides(memory, first, steps)


def repeated_axes(layout: Layout, dimensions: int) -> tuple[int, ...]:
    """The axes along which a layout has stride 0, so that its entries are equal; counted from 0."""
    if layout == "broadcast":
        return tuple(range(dimensions))
    return _axes(layout, "expanded", dimensions)


def is_channels_last(shape: tuple[int, ...], layout: Layout) -> bool:
    """Whether an image or a batch of them is in NHWC order, gaps allowed, so that its strides say so and not the other.

    As torch reads strides (`is_channels_last_strides_2d` in its c10/core/MemoryFormat.h), which has to tell from them
    in which order results are; an image without a batch is read as one of a dense batch.
    """
    if len(shape) not in (_DIMENSIONS - 1, _DIMENSIONS):
        return False
    steps, channels, least = strides_of(shape, layout).steps, -3, 0
    for axis in (channels, -1, -2, *(0,) * (len(shape) == _DIMENSIONS)):
        step, size = steps[axis], shape[axis]
        if size == 0 or step < least or (axis == channels and step == 0):
            return False
        if axis == 0 and least == steps[channels]:  # one pixel: both orders have these strides
            return False
        least = step * max(1, size)
    return len(shape) == _DIMENSIONS or max(shape) > 1


@lru_cache(maxsize=4096)
def traits(shape: tuple[int, ...], layout: Layout) -> Mapping[str, bool]:
    """What strides say of a tensor, by the names of `TRAITS`.

    Axes of size 1 say nothing, and neither does an empty tensor.
    """
    steps = [step for step, size in zip(strides_of(shape, layout).steps, shape, strict=True) if size > 1]
    sizes = [size for size in shape if size > 1]
    if 0 in shape:
        return MappingProxyType(dict.fromkeys(TRAITS, False))
    apart = [abs(step) for step in steps if step]
    permuted = any(outer < inner for outer, inner in pairwise(apart))
    packed = sorted((abs(step), size) for step, size in zip(steps, sizes, strict=True) if step)
    dense = accumulate((size for _, size in packed), mul, initial=1)
    gaps = any(step != needed for (step, _), needed in zip(packed, dense, strict=False))
    found = is_channels_last(shape, layout), permuted, gaps, 0 in steps, any(step < 0 for step in steps)
    return MappingProxyType(dict(zip(TRAITS, found, strict=True)))


@lru_cache(maxsize=4096)
def alignment(shape: tuple[int, ...], itemsize: int, layout: Layout, placement: Placement) -> int:
    """The bytes that the address of the first element is a multiple of for sure, a power of 2 up to `ALIGNMENT`.

    Args:
        shape: of the tensor.
        itemsize: bytes of an element.
        layout: how it lies in its memory.
        placement: where that lies.
    """
    view = strides_of(shape, layout)
    begins = view.offset * itemsize
    addresses = (begins, begins - view.memory * itemsize) if placement == "at_end" else (begins,)
    return math.gcd(ALIGNMENT, *addresses)


def _sliced(name: str, dimensions: int) -> tuple[int, ...]:
    if name == "sliced":
        return tuple(range(dimensions))
    return (dimensions - 3,) if name.endswith("channel_slice") and dimensions >= 3 else ()


def _axes(name: str, kind: str, dimensions: int) -> tuple[int, ...]:
    stem, _, axes = name.partition("_")
    if stem != kind:
        return ()
    return tuple(axis % dimensions for axis in _AXES[axes] if -dimensions <= axis < dimensions)


def _order(name: str, dimensions: int) -> tuple[int, ...]:
    """The axes from the one with the largest strides to the one with the smallest, without its gaps."""
    order: Sequence[int] = (0, 1, 2, 3)
    if name.startswith("channels_last"):
        order = (0, 2, 3, 1)
    elif name == "transposed":
        order = (0, 1, 3, 2)
    elif name.startswith("order-"):
        order = tuple(map(int, name.removeprefix("order-")))
    missing = _DIMENSIONS - dimensions  # an image has no batch, a bias but one axis
    if missing < 0 or (missing > 1 and name != "transposed"):
        return tuple(range(dimensions))
    return tuple(axis - missing for axis in order if axis >= missing)


def _dense(shape: Sequence[int], order: Sequence[int]) -> list[int]:
    """The strides of an array without gaps whose axes lie in an order."""
    strides, stride = [0] * len(shape), 1
    for axis in reversed(order):
        strides[axis] = stride
        stride *= max(1, shape[axis])
    return strides
