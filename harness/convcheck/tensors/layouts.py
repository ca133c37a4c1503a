"""Memory layouts: the same values as different views, each inside memory that a wrong stride would show."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.calls import Tensor

Array = NDArray[Any]


def lay_out(tensor: Tensor) -> Array:
    """A fresh array with the values of `tensor` in its layout.

    Sliced arrays lie inside a larger one filled with NaN, so that reading outside the view shows. A
    layout that has no meaning for the number of dimensions (channels_last of a bias) is contiguous.
    """
    values = tensor.values
    layout = tensor.layout
    if layout == "sliced":
        return _sliced(values)
    if layout == "expanded" and values.size:
        return np.lib.stride_tricks.as_strided(
            values[:1].copy(), values.shape, (0, *values[:1].copy().strides[1:]), writeable=True
        )
    if layout == "reversed":
        flip: Any = (..., *(slice(None, None, -1),) * min(2, values.ndim))
        return np.asarray(values[flip].copy()[flip])
    if layout == "channels_last" and values.ndim >= 3:
        return np.moveaxis(np.moveaxis(values, -3, -1).copy(), -1, -3)
    if layout == "transposed" and values.ndim >= 2:
        return values.swapaxes(-1, -2).copy().swapaxes(-1, -2)
    return values.copy()


def unchanged(array: Array, tensor: Tensor) -> bool:
    """Whether `array`, which `lay_out` gave for `tensor`, still holds its values byte for byte."""
    return array.tobytes() == tensor.values.tobytes()


def _sliced(values: Array) -> Array:
    parent = np.full([size + 3 for size in values.shape], np.nan, values.dtype)
    view = parent[tuple(slice(1, 1 + size) for size in values.shape)]
    view[...] = values
    return view
