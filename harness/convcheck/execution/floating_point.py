"""How this thread rounds, and whether it flushes subnormal numbers or traps: bits of a register of the processor."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

_ENVIRONMENT: Final = 256
"""Bytes of a `fenv_t`, or more."""


@dataclass(frozen=True, slots=True)
class _Register:
    """The register of a kind of processor, as the C library has it in its `fenv_t`.

    Attributes:
        at: the offset of its 32 bits.
        flushing: the bits that flush subnormal operands or results.
        trapping: the bits that choose which exceptions end the program.
    """

    at: int
    flushing: int
    trapping: int


_REGISTERS: Final = {
    "x86_64": _Register(28, 0x8040, 0x1F80),  # MXCSR behind the seven words of the x87's
    "aarch64": _Register(0, 0x1080000, 0x9F00),  # FPCR
}

_library: Final[Any] = ctypes.CDLL(None) if hasattr(os, "fork") else None  # Windows has no library of that kind


def _bits(at: int, mask: int) -> tuple[Callable[[], int], Callable[[int], None]]:
    """What reads some bits of a register, and what writes them."""
    memory = (ctypes.c_uint8 * _ENVIRONMENT)()
    register = ctypes.c_uint32.from_buffer(memory, at)
    get, put = _library.fegetenv, _library.fesetenv
    address = ctypes.byref(memory)

    def read() -> int:
        get(address)
        return register.value & mask

    def write(bits: int) -> None:
        get(address)
        register.value = register.value & ~mask | bits
        put(address)

    return read, write


def _settings() -> Iterator[tuple[str, Callable[[], int], Callable[[int], object]]]:
    if not hasattr(_library, "fegetround"):
        return
    yield "the rounding mode", _library.fegetround, _library.fesetround
    register = _REGISTERS.get(platform.machine())
    if sys.platform == "linux" and register is not None:
        yield "whether subnormal numbers are flushed", *_bits(register.at, register.flushing)
        yield "which floating-point exceptions trap", *_bits(register.at, register.trapping)


SETTINGS: Final = tuple(_settings())
"""Name, what reads it and what writes it back."""
