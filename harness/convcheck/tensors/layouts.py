"""Memory layouts: the same values as different views of a region of memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Tensor
from convcheck.model.case import Layout
from convcheck.model.strides import repeated_axes, strides_of
from convcheck.tensors.regions import Allocate, Region

Array = NDArray[Any]


def lay_out(tensor: Tensor, allocate: Allocate) -> tuple[Array, Region]:
    """The values of `tensor` in its layout, and the new region where they lie.

    The `base` of the array is the memory of the tensor, gaps included and surroundings not: what an engine takes for
    the storage that the tensor is a view of.
    """
    values = tensor.values
    size, view = values.itemsize, strides_of(values.shape, tensor.layout)
    region = allocate(view.memory * size, tensor.memory)
    # NumPy makes an array that is a view of a view one of what that is a view of, but stops at a buffer
    memory = np.frombuffer(region.content.data, np.uint8)
    array: Array = np.ndarray(
        values.shape, values.dtype, memory, view.offset * size, tuple(step * size for step in view.steps)
    )
    array[...] = values
    return array, region


def conformed(values: Array, layout: Layout) -> Array:
    """The values that a layout makes of `values`: with stride 0, entries are equal."""
    if layout == "broadcast":
        return np.ones_like(values)
    repeated = repeated_axes(layout, values.ndim)
    if not repeated or not values.size:
        return values
    first = tuple(slice(1) if axis in repeated else slice(None) for axis in range(values.ndim))
    return np.ascontiguousarray(np.broadcast_to(values[first], values.shape))
