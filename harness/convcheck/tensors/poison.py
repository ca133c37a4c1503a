"""Poison: values of ours in free memory, so that an output element that is never written shows.

Two kinds: a NaN with a payload of ours, and a byte that makes a large finite number of every format
(about 2^102 in float32). The first shows in sums, the second where NaN would be dropped. In a worker process
glibc itself writes the second to every new block (`ALLOCATOR_SETTINGS`), so that no allocation escapes;
for allocators that keep blocks of their own, as NumPy's does below a kilobyte, blocks of the size of a result
are filled and freed. Elsewhere that is all there is: often enough to catch a defect, never enough to say that
there is none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Final, Literal, TypeAlias

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Poison: TypeAlias = Literal["nan", "large"]

POISON_BYTE: Final = 0x72
ALLOCATOR_SETTINGS: Final = f"glibc.malloc.perturb={POISON_BYTE ^ 0xFF}:glibc.malloc.tcache_count=0"
"""For GLIBC_TUNABLES: new memory holds the complement of perturb, if no thread cache bypasses it (mallopt(3))."""

_NANS: Final[dict[np.dtype[Any], Any]] = {
    np.dtype(np.float16): np.dtype(np.uint16).type(0x7EAD),
    np.dtype(ml_dtypes.bfloat16): np.dtype(np.uint16).type(0x7FEA),
    np.dtype(np.float32): np.dtype(np.uint32).type(0x7FDEADC5),
    np.dtype(np.float64): np.dtype(np.uint64).type(0x7FFDEADC5EADBEEF),
}
_COMPONENTS: Final[dict[np.dtype[Any], np.dtype[Any]]] = {
    np.dtype(np.complex64): np.dtype(np.float32),
    np.dtype(np.complex128): np.dtype(np.float64),
}
_LOOKED_AT: Final = 1 << 20
"""Bytes of a new block that are looked at: larger ones come from the system in the same way."""
_KEPT: Final = 1024
_MANY: Final = 8
_FEW: Final = 2
"""Blocks that are poisoned: all that NumPy keeps of one size (7) below so many bytes, some of the larger ones."""


def poison_free_memory(native: Any, dtype: np.dtype[Any], elements: int, kind: Poison) -> bool:
    """Fill free blocks of the size of a result with poison; whether all new blocks of that size hold poison.

    Args:
        native: a tensor of the candidate's, which tells whose allocator hands out its results: NumPy's
            or torch's, on the tensor's device.
        dtype: of the result.
        elements: of the result.
        kind: of the poison.
    """
    torch = sys.modules.get("torch")
    of_torch = torch is not None and isinstance(native, torch.Tensor)
    if not elements or not (of_torch or isinstance(native, np.ndarray)):
        return False
    device = str(native.device) if of_torch else ""
    full, empty = _makers(device, dtype, kind)
    count = elements * dtype.itemsize // _pattern(dtype, kind).itemsize
    looked_at = min(count, _LOOKED_AT // _pattern(dtype, kind).itemsize)
    numpy_keeps = not device and elements * dtype.itemsize < _KEPT
    served = device in ("", "cpu") and allocator_poisons()  # devices have allocators of their own
    if numpy_keeps or not served:
        blocks = [full(count) for _ in range(_MANY if numpy_keeps else _FEW)]
        del blocks
    return served and bool(is_poison(empty(looked_at).view(dtype)).all())


@cache
def allocator_poisons() -> bool:
    """Whether `ALLOCATOR_SETTINGS` are in force in this process, and have their effect."""
    if ALLOCATOR_SETTINGS not in os.environ.get("GLIBC_TUNABLES", ""):
        return False
    return bool((np.empty(5 * _KEPT, np.uint8) == POISON_BYTE).all())


def is_poison(array: Array) -> NDArray[np.bool_]:
    """Where `array` holds poison, bit for bit."""
    if _COMPONENTS.get(array.dtype, array.dtype) not in _NANS:
        return np.zeros(array.shape, np.bool_)
    patterns = (_pattern(array.dtype, "nan"), _pattern(array.dtype, "large"))
    words = np.ascontiguousarray(array).view(patterns[0].dtype)
    found = words == patterns[1]
    if not found.all():  # as new memory of an allocator that poisons is
        found |= words == patterns[0]
    parts = 2 if array.dtype in _COMPONENTS else 1
    return np.asarray(found.reshape(*array.shape, parts).any(axis=-1) if parts > 1 else found.reshape(array.shape))


@cache
def _pattern(dtype: np.dtype[Any], kind: Poison) -> Any:
    nan = _NANS[_COMPONENTS.get(dtype, dtype)]
    return nan if kind == "nan" else np.frombuffer(bytes([POISON_BYTE]) * nan.itemsize, nan.dtype)[0]


@cache
def _makers(device: str, dtype: np.dtype[Any], kind: Poison) -> tuple[Callable[[int], Any], Callable[[int], Array]]:
    """What makes a block of so many patterns on a device of torch, or of NumPy for "", and the array of a new block."""
    pattern = _pattern(dtype, kind)
    if not device:
        return partial(np.full, fill_value=pattern), partial(np.empty, dtype=pattern.dtype)
    torch = sys.modules["torch"]
    # signed integers: torch fills few others
    signed = pattern.view(f"i{pattern.itemsize}").item()
    settings = {"dtype": getattr(torch, f"int{8 * pattern.itemsize}"), "device": device}

    def full(count: int) -> Any:
        return torch.full((count,), signed, **settings)

    return full, lambda count: np.asarray(torch.empty(count, **settings).cpu().numpy())
