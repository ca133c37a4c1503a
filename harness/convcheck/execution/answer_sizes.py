"""How long the answer to a call can be: nobody asks for memory for a longer one, whatever is said of its size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from numpy.typing import NDArray

from convcheck.execution.channel import SMALL
from convcheck.model.calls import Call, Raised, Returned

_BYTES: Final = 64
"""For each element of a tensor or result: complex numbers of double precision, for several results of its size."""


def most_bytes(call: Call) -> int:
    """The bytes that an answer to a call has at most, if its results are at all like those that are due."""
    given = sum(tensor.values.size for tensor in call.tensors.values())
    return SMALL + _BYTES * (given + _elements_of_output(call) + _elements_of_weight(call))


def bounded(outcome: Returned | Raised, call: Call) -> Returned | Raised:
    """What came of a call, without its results if these have too many bytes: they are malformed, and not sent."""
    size = 0 if isinstance(outcome, Raised) else _size(outcome.arrays) + _size(outcome.other)
    if isinstance(outcome, Raised) or size <= SMALL // 2 or size <= (most := most_bytes(call) - SMALL // 2):
        return outcome
    reasons = {
        name: f"it has shape {array.shape} and {array.nbytes:,} bytes; expected fewer than {most:,}"
        for name, array in outcome.arrays.items()
        if array is not None
    }
    arrays = dict.fromkeys(outcome.arrays)
    return replace(outcome, arrays=arrays, malformed={**outcome.malformed, **reasons}, other={})


def _size(arrays: Mapping[str, NDArray[Any] | None]) -> int:
    return sum(array.nbytes for array in arrays.values() if array is not None)


def _elements_of_output(call: Call) -> int:
    """At stride 1 and with a kernel of one element, no output is larger; 0 for what has no output."""
    shape = call.tensors["x"].values.shape
    if len(shape) < 2:
        return 0
    padding = max(map(_magnitude, _each(call.arguments.padding)), default=0)
    area: int = math.prod(size + 2 * padding for size in shape[-2:])
    return math.prod(shape[:-3]) * _magnitude(call.arguments.out_channels) * area


def _elements_of_weight(call: Call) -> int:
    """Of a module, whose weight is no tensor of the call."""
    arguments = call.arguments
    kernel = max(map(_magnitude, _each(arguments.kernel_size)), default=0)
    return _magnitude(arguments.out_channels) * _magnitude(arguments.in_channels) * kernel**2


def _each(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _magnitude(value: Any) -> int:
    """Of a size as it was spelled; 0 for what is none, which is refused."""
    return abs(value) if isinstance(value, int) else 0
