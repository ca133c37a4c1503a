"""Sanitizers: tools that watch every access to memory while a candidate runs."""

from __future__ import annotations

from enum import StrEnum


class Sanitizer(StrEnum):
    """A sanitizer that a share of the cases is run under.

    ADDRESS: AddressSanitizer, for kernels on the processor that are compiled with it. The others are the tools of
    compute-sanitizer, for kernels on an NVIDIA device. MEMCHECK: accesses outside of allocations, and misaligned ones.
    RACECHECK: races in shared memory. INITCHECK: reads of memory that nobody wrote. SYNCCHECK: barriers that not all
    threads reach.
    """

    ADDRESS = "address"
    MEMCHECK = "memcheck"
    RACECHECK = "racecheck"
    INITCHECK = "initcheck"
    SYNCCHECK = "synccheck"

    @property
    def label(self) -> str:
        """As reports show it."""
        return "AddressSanitizer" if self is Sanitizer.ADDRESS else f"compute-sanitizer's {self}"
