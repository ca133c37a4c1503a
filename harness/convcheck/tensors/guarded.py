"""Guarded regions: pages that a candidate may only read, between pages that it may not touch.

A touch is a segmentation fault, so these are for candidates in a process of their own. Pages come from
mmap, and mprotect is called through ctypes. A tensor that ends with its last page is aligned as its
element type asks, not better; no candidate has been promised more.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Final

import numpy as np

from convcheck.calls import Memory
from convcheck.tensors.regions import Region, heap, surrounding_byte

_NO_ACCESS: Final = 0
_READ: Final = 1
_READ_WRITE: Final = 3


def guarded(size: int, memory: Memory) -> Region:
    """A region in pages of its own.

    guard_after: the tensor ends where the guard begins. guard_before: it starts where the guard ends.
    read_only: it lies between accessible pages. heap: as `convcheck.tensors.regions.heap`.

    Raises:
        OSError: the system has no such pages left.
    """
    if memory == "heap":
        return heap(size, memory)
    page = mmap.PAGESIZE
    inner = max(page, -(-size // page) * page)
    # the array holds the mapping, which goes with its last view
    pages = np.frombuffer(mmap.mmap(-1, inner + 2 * page), np.uint8)
    pages.fill(surrounding_byte(memory))
    protect = partial(_protect, pages.ctypes.data)
    if memory != "read_only":
        protect(0, page, _NO_ACCESS)
        protect(page + inner, page, _NO_ACCESS)
    whole = pages[page : page + inner]
    content = whole[:size] if memory == "guard_before" else whole[inner - size :]
    return Region(content, whole, partial(protect, page, inner, _READ), partial(protect, page, inner, _READ_WRITE))


def _protect(base: int, at: int, size: int, access: int) -> None:
    if _mprotect()(base + at, size, access):
        number = ctypes.get_errno()
        raise OSError(number, f"mprotect: {os.strerror(number)}")


@cache
def _mprotect() -> Callable[[int, int, int], int]:
    function: Any = ctypes.CDLL(None, use_errno=True).mprotect
    function.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return function  # type: ignore[no-any-return]
