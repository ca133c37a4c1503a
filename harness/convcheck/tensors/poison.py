"""Poison: a NaN with a payload of ours in free memory, so that an unwritten output element shows."""

from __future__ import annotations

from typing import Any, Final

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_PATTERNS: Final[dict[np.dtype[Any], Any]] = {
    np.dtype(np.float16): np.dtype(np.uint16).type(0x7EAD),
    np.dtype(ml_dtypes.bfloat16): np.dtype(np.uint16).type(0x7FEA),
    np.dtype(np.float32): np.dtype(np.uint32).type(0x7FDEADC5),
    np.dtype(np.float64): np.dtype(np.uint64).type(0x7FFDEADC5EADBEEF),
}
_COMPONENTS: Final[dict[np.dtype[Any], np.dtype[Any]]] = {
    np.dtype(np.complex64): np.dtype(np.float32),
    np.dtype(np.complex128): np.dtype(np.float64),
}
_COPIES: Final = 3
"""Blocks that are poisoned per size: an implementation may take some for temporaries."""


def poison_free_memory(dtype: np.dtype[Any], elements: int) -> None:
    """Fill free blocks of the size of a result, so that an allocator which reuses memory hands them out."""
    component = _COMPONENTS.get(dtype, dtype)
    count = elements * (dtype.itemsize // component.itemsize)
    pattern = _PATTERNS[component]
    blocks = [np.full(count, pattern) for _ in range(_COPIES)]
    del blocks


def is_poison(array: Array) -> NDArray[np.bool_]:
    """Where `array` holds the poison, bit for bit."""
    component = _COMPONENTS.get(array.dtype, array.dtype)
    if component not in _PATTERNS:
        return np.zeros(array.shape, np.bool_)
    pattern = _PATTERNS[component]
    words = np.ascontiguousarray(array).view(pattern.dtype)
    found = np.asarray(words == pattern).reshape(*array.shape, -1)
    return np.asarray(found.any(axis=-1), np.bool_)
