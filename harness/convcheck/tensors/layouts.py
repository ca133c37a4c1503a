"""Memory layouts: the same values as different views of a region of memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.calls import Tensor
from convcheck.case import Layout
from convcheck.tensors.regions import Allocate, Region

Array = NDArray[Any]


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
    return "contiguous" if values.ndim < least or (layout == "expanded" and not values.size) else layout


def _stored_shape(shape: tuple[int, ...], layout: Layout) -> tuple[int, ...]:
    """The shape of the C-contiguous array that a layout is a view of."""
    if layout == "sliced":
        return tuple(size + 3 for size in shape)
    if layout == "expanded":
        return (1, *shape[1:])
    if layout == "channels_last":
        return (*shape[:-3], *shape[-2:], shape[-3])
    return (*shape[:-2], shape[-1], shape[-2]) if layout == "transposed" else shape


def _view(stored: Array, shape: tuple[int, ...], layout: Layout) -> Array:
    if layout == "sliced":
        return stored[tuple(slice(1, 1 + size) for size in shape)]
    if layout == "expanded":
        return np.lib.stride_tricks.as_strided(stored, shape, (0, *stored.strides[1:]), writeable=True)
    if layout == "reversed":
        flip: Any = (..., *(slice(None, None, -1),) * min(2, len(shape)))
        return np.asarray(stored[flip])
    if layout == "channels_last":
        return np.moveaxis(stored, -1, -3)
    return stored.swapaxes(-1, -2) if layout == "transposed" else stored
