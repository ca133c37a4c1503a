"""Memory layouts: the same values as different views of a region of memory."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Tensor
from convcheck.model.case import Layout
from convcheck.tensors.regions import Allocate, Region

Array = NDArray[Any]

_ODD: Final = 7
"""Elements: the stride of an axis along which there is no step to take."""


def lay_out(tensor: Tensor, allocate: Allocate) -> tuple[Array, Region]:
    """The values of `tensor` in its layout, and the new region where they lie.

    A layout that has no meaning for the number of dimensions (channels_last of a bias) is contiguous.
    """
    values = tensor.values
    shape, layout = values.shape, _meaningful(tensor.layout, values)
    stored = _stored_shape(shape, layout)
    region = allocate(math.prod(stored) * values.itemsize, tensor.memory)
    array = _view(region.content.view(values.dtype).reshape(stored), shape, layout)
    array[...] = values
    return array, region


def _meaningful(layout: Layout, values: Array) -> Layout:
    least = {"channels_last": 3, "transposed": 2}.get(layout, 0)
    nothing_to_repeat = layout in ("expanded", "broadcast") and not values.size
    return "contiguous" if values.ndim < least or nothing_to_repeat else layout


def _stored_shape(shape: tuple[int, ...], layout: Layout) -> tuple[int, ...]:
    """The shape of the C-contiguous array that a layout is a view of."""
    if layout == "sliced":
        return tuple(size + 3 for size in shape)
    if layout in ("expanded", "broadcast"):
        return (1, *(shape[1:] if layout == "expanded" else (1,) * (len(shape) - 1)))
    if layout == "offset":
        # an even number of elements, so that the second of them is misaligned at either end of a page
        return ((math.prod(shape) + 2) // 2 * 2,)
    if layout == "channels_last":
        return (*shape[:-3], *shape[-2:], shape[-3])
    return (*shape[:-2], shape[-1], shape[-2]) if layout == "transposed" else shape


def _view(stored: Array, shape: tuple[int, ...], layout: Layout) -> Array:
    if layout == "sliced":
        return stored[tuple(slice(1, 1 + size) for size in shape)]
    if layout == "offset":
        return stored[1 : 1 + math.prod(shape)].reshape(shape)
    if layout in ("expanded", "broadcast", "odd_strides"):
        return np.ndarray(shape, stored.dtype, stored, 0, _strides(stored, shape, layout))
    if layout == "reversed":
        flip: Any = (..., *(slice(None, None, -1),) * min(2, len(shape)))
        return np.asarray(stored[flip])
    if layout == "channels_last":
        return stored.transpose(*range(stored.ndim - 3), -1, -3, -2)
    return stored.swapaxes(-1, -2) if layout == "transposed" else stored


def _strides(stored: Array, shape: tuple[int, ...], layout: Layout) -> tuple[int, ...]:
    if layout == "broadcast":
        return (0,) * len(shape)
    if layout == "expanded":
        return (0, *stored.strides[1:])
    stepless = [size == 1 or not stored.size for size in shape]
    return tuple(_ODD * stored.itemsize if s else given for s, given in zip(stepless, stored.strides, strict=True))


def conformed(values: Array, layout: Layout) -> Array:
    """The values that a layout makes of `values`: with stride 0, entries are equal."""
    if layout == "broadcast":
        return np.ones_like(values)
    if layout == "expanded" and values.size:
        return np.ascontiguousarray(np.broadcast_to(values[:1], values.shape))
    return values
