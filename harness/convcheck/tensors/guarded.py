"""Guarded regions: pages that a candidate may only read, between pages that it may not touch.

A touch is a segmentation fault, so these are for candidates in a process of their own. Pages come from
mmap, and mprotect is called through ctypes. A tensor that ends with its last page is aligned as its
size is, maybe to one element only; no candidate has been promised more.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import weakref
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from typing import Final, TypeAlias

import numpy as np

from convcheck.model.calls import Memory
from convcheck.model.strides import ALIGNMENT
from convcheck.tensors.regions import Bytes, Region, heap, surrounding_byte

_NO_ACCESS: Final = 0
_READ: Final = 1
_READ_WRITE: Final = 3
_PARKED: Final = 64
"""Mappings kept of one size."""
_LARGEST_PARKED: Final = 1 << 18
_HUGE: Final = 1 << 22
"""From here on the system is asked for huge pages: one fault for 512 pages."""

_Protect: TypeAlias = Callable[[int, int, int], None]
"""From an offset, a size and an access: sets the access of these pages of one mapping."""


class GuardedPages:
    """Gives guarded regions; it is an `Allocate`.

    guard_after: the tensor ends where the guard begins. guard_after_aligned: it ends less than `ALIGNMENT` bytes before
    that, and starts at a multiple of these. guard_before: it starts where the guard ends.
    read_only: it lies between accessible pages. heap: as `convcheck.tensors.regions.heap`.

    Mapping and unmapping pages takes longer than a small convolution, so small mappings are parked when
    their last view is gone, the longest parked is taken first, and a parked one may not be touched: whoever
    keeps the address of a tensor whose time is over meets a segmentation fault there as before.

    Raises:
        OSError: the system has no such pages left.
    """

    def __init__(self) -> None:
        self._parked: dict[int, deque[mmap.mmap]] = defaultdict(deque)

    def __call__(self, size: int, memory: Memory) -> Region:
        """A new region of `size` bytes."""
        if memory == "heap":
            return heap(size, memory)
        page = mmap.PAGESIZE
        inner = max(page, -(-size // page) * page)
        pages, protect = self._between_guards(inner) if memory != "read_only" else _mapped(_new(inner))
        whole = pages[page : page + inner]
        (pages if memory == "read_only" else whole).fill(surrounding_byte(memory))
        start = 0 if memory == "guard_before" else inner - size
        if memory != "guard_after":
            start -= start % ALIGNMENT
        content = whole[start : start + size]
        return Region(content, whole, partial(protect, page, inner, _READ), partial(protect, page, inner, _READ_WRITE))

    def _between_guards(self, inner: int) -> tuple[Bytes, _Protect]:
        """Pages of which the first and the last may not be touched; parked when the last view of them is gone."""
        page, parked = mmap.PAGESIZE, self._parked[inner]
        if parked:
            mapping = parked.popleft()
            pages, protect = _mapped(mapping)
            protect(page, inner, _READ_WRITE)
        else:
            mapping = _new(inner)
            pages, protect = _mapped(mapping)
            protect(0, page, _NO_ACCESS)
            protect(page + inner, page, _NO_ACCESS)

        def park() -> None:
            if inner <= _LARGEST_PARKED and len(parked) < _PARKED:
                protect(page, inner, _NO_ACCESS)
                parked.append(mapping)

        weakref.finalize(pages, park).atexit = False
        return pages, protect


def _new(inner: int) -> mmap.mmap:
    """Pages of this process alone, of which the first touch costs less than of pages that could be shared."""
    mapping = mmap.mmap(-1, inner + 2 * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if inner >= _HUGE and hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel that has none does without
            mapping.madvise(mmap.MADV_HUGEPAGE)
    return mapping


def _mapped(mapping: mmap.mmap) -> tuple[Bytes, _Protect]:
    """The bytes of a mapping, which live as long as a view of them, and what protects its pages."""
    pages = np.frombuffer(mapping, np.uint8)
    return pages, partial(_protect, pages.__array_interface__["data"][0])


def _protect(base: int, at: int, size: int, access: int) -> None:
    if _mprotect()(base + at, size, access):
        number = ctypes.get_errno()
        raise OSError(number, f"mprotect: {os.strerror(number)}")


@cache
def _mprotect() -> Callable[[int, int, int], int]:
    function = ctypes.CDLL(None, use_errno=True).mprotect
    function.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return function
