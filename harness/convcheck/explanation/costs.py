"""What a layer on an input costs: activations, multiply-adds, memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from convcheck_reference.formats import DTYPES
from convcheck_reference.params import Conv2dParams, Shape

_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_THOUSAND: Final = 1024


@dataclass(frozen=True, slots=True)
class Costs:
    """What one forward pass takes.

    Attributes:
        activations: elements of the output.
        multiply_adds: taps in the padding included.
        bytes: of each tensor, and of the matrix that a kernel which unfolds one image makes (im2col).
    """

    activations: int
    multiply_adds: int
    bytes: Mapping[str, int]


def costs(params: Conv2dParams, input_shape: Shape, dtype: str) -> Costs:
    """The costs of a layer on an input that it takes."""
    size, output = np.dtype(DTYPES[dtype]).itemsize, params.output_shape(input_shape)
    unfolded = params.in_channels * math.prod(params.kernel_size) * math.prod(output[-2:])
    elements = {
        "input": math.prod(input_shape),
        "weight": math.prod(params.weight_shape),
        "bias": params.out_channels if params.bias else 0,
        "output": math.prod(output),
        "im2col": unfolded,
    }
    return Costs(
        params.activations(input_shape),
        params.multiply_adds(input_shape),
        {name: number * size for name, number in elements.items()},
    )


def in_units(number: int) -> str:
    """Bytes as people read them: "37.5 KiB"."""
    unit = min(len(_UNITS) - 1, max(0, (number.bit_length() - 1) // 10))
    return f"{number:,} bytes" if unit == 0 else f"{number / _THOUSAND**unit:.3g} {_UNITS[unit]}"
