"""Memory layouts: the same values as different views, each inside memory that a wrong stride would show."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.calls import Tensor
from convcheck.case import Layout

Array = NDArray[Any]

_ODD: Final = 7
"""Elements: the stride of an axis along which there is no step to take."""


def lay_out(tensor: Tensor) -> Array:
    """A fresh array with the values of `tensor` in its layout.

    Sliced and offset arrays lie inside a larger one filled with NaN, so that reading outside the view
    shows. A layout that has no meaning for the number of dimensions (channels_last of a bias) is contiguous.
    """
    values, layout = tensor.values, tensor.layout
    if layout in ("sliced", "offset"):
        return _inside(values, gaps=layout == "sliced")
    if layout in ("expanded", "broadcast", "odd_strides"):
        return _strided(values, layout)
    if layout == "reversed":
        flip: Any = (..., *(slice(None, None, -1),) * min(2, values.ndim))
        return np.asarray(values[flip].copy()[flip])
    if layout == "channels_last" and values.ndim >= 3:
        return np.moveaxis(np.moveaxis(values, -3, -1).copy(), -1, -3)
    if layout == "transposed" and values.ndim >= 2:
        return values.swapaxes(-1, -2).copy().swapaxes(-1, -2)
    return values.copy()


def conformed(values: Array, layout: Layout) -> Array:
    """The values that a layout makes of `values`: with stride 0, entries are equal."""
    if layout == "broadcast":
        return np.ones_like(values)
    if layout == "expanded" and values.size:
        return np.ascontiguousarray(np.broadcast_to(values[:1], values.shape))
    return values


def unchanged(array: Array, tensor: Tensor) -> bool:
    """Whether `array`, which `lay_out` gave for `tensor`, still holds its values byte for byte."""
    return array.tobytes() == tensor.values.tobytes()


def _inside(values: Array, *, gaps: bool) -> Array:
    """A view inside NaN: with gaps along every axis, or dense, one element in."""
    shape = values.shape if gaps else (values.size,)
    parent = np.full([size + 3 for size in shape], np.nan, values.dtype)
    view = parent[tuple(slice(1, 1 + size) for size in shape)].reshape(values.shape)
    view[...] = values
    return view


def _strided(values: Array, layout: Layout) -> Array:
    """A view with strides that its memory alone does not give."""
    strides, memory = values.strides, values
    if layout == "odd_strides":
        odd = [size == 1 or not values.size for size in values.shape]
        strides = tuple(_ODD * values.itemsize if o else s for o, s in zip(odd, strides, strict=True))
    elif values.size:
        repeated = values.ndim if layout == "broadcast" else 1
        strides, memory = (0,) * repeated + strides[repeated:], values[(slice(0, 1),) * repeated]
    return np.lib.stride_tricks.as_strided(memory.copy(), values.shape, strides, writeable=True)
