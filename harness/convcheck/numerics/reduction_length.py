"""How many products each result sums: the n of the rounding bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.model.profiles import Quantity
from convcheck_reference.padding import source_index
from convcheck_reference.params import Conv2dParams, Shape


@lru_cache(maxsize=256)
def reduction_lengths(params: Conv2dParams, input_shape: Shape) -> Mapping[Quantity, int]:
    """The largest number of products that one element of each quantity sums (at least 1).

    output: C/G·kh·kw. grad_input: O/G times the (window, tap) pairs that read the busiest pixel, copies
    of it in the padding included. grad_weight and grad_bias: N·oh·ow.
    """
    output_shape = params.output_shape(input_shape)
    batch = input_shape[0] if len(input_shape) == 4 else 1
    windows = batch * math.prod(output_shape[-2:])
    reads = [int(_reads(params, axis, input_shape[axis - 2]).max()) for axis in (0, 1)]
    counts: dict[Quantity, int] = {
        "output": params.fan_in,
        "grad_input": max(1, math.prod(reads) * (params.out_channels // params.groups)),
        "grad_weight": max(1, windows),
        "grad_bias": max(1, windows),
    }
    return MappingProxyType(counts)


def copies(params: Conv2dParams, height: int, width: int) -> NDArray[np.intp]:
    """How many padded pixels copy each input pixel, itself included: (H, W)."""
    rows, columns = (
        np.bincount(index[index >= 0], minlength=size)
        for size, index in (
            (size, source_index(size, params.padding[axis], params.padding_mode))
            for axis, size in enumerate((height, width))
        )
    )
    product: NDArray[np.intp] = np.outer(rows, columns)
    return product


def _reads(params: Conv2dParams, axis: int, size: int) -> NDArray[Any]:
    """How many (window, tap) pairs read each input pixel along one axis."""
    padded = size + sum(params.padding[axis])
    windows = (padded - params.extent[axis]) // params.stride[axis] + 1
    first = np.arange(windows) * params.stride[axis]
    taps = np.arange(params.kernel_size[axis]) * params.dilation[axis]
    source = source_index(size, params.padding[axis], params.padding_mode)
    read = source[(first[:, None] + taps).reshape(-1)]
    return np.bincount(read[read >= 0], minlength=size)
