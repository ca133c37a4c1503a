"""Regions: the memory of one tensor, with bytes of ours around it that show who strays.

The surroundings hold a byte that makes a NaN of every floating-point format, or one that makes a large
finite number of every format (about 2^100 in float32, 2^13 in float16): the first shows in sums, the
second where fmax or a comparison drops NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Memory
from convcheck.model.strides import ALIGNMENT

Bytes: TypeAlias = NDArray[np.uint8]

NAN_BYTE: Final = 0xFF
LARGE_BYTE: Final = 0x71
_MARGIN: Final = ALIGNMENT
"""Bytes before and after a tensor on the heap, at least."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """The memory of one tensor.

    Attributes:
        content: the bytes of the tensor, gaps of its layout included.
        whole: `content` and what of its surroundings can be read.
        seal: allow only what a candidate may do here, which is reading.
        unseal: allow us to write again.
    """

    content: Bytes
    whole: Bytes
    seal: Callable[[], Any]
    unseal: Callable[[], Any]


Allocate: TypeAlias = Callable[[int, Memory], Region]
"""From a number of bytes and where the tensor is to lie to a new region, filled with the byte of the surroundings."""


def surrounding_byte(memory: Memory) -> int:
    """What surrounds a tensor: large finite numbers for "guard_before", NaN for the others."""
    return LARGE_BYTE if memory == "guard_before" else NAN_BYTE


def heap(size: int, memory: Memory) -> Region:
    """A region on the heap, aligned as if it were guarded.

    A candidate in this process would take it down with it, so nothing is guarded.
    """
    room = np.empty(size + 4 * _MARGIN, np.uint8)
    begin = -room.ctypes.data % ALIGNMENT
    at = _MARGIN + (-size % ALIGNMENT if memory == "guard_after" else 0)
    whole = room[begin : begin + at + size + _MARGIN]
    whole.fill(surrounding_byte(memory))
    return Region(whole[at : at + size], whole, _nothing, _nothing)


def exact(size: int, memory: Memory) -> Region:
    """A region on the heap without bytes of ours around it: under a sanitizer, its own redzones begin at the tensor."""
    whole = np.empty(size, np.uint8)
    whole.fill(surrounding_byte(memory))
    return Region(whole, whole, _nothing, _nothing)


def _nothing() -> None:
    """The heap has no locks."""
