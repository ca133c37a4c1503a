"""How far a run is to look."""

from __future__ import annotations

from enum import StrEnum


class Ladder(StrEnum):
    """How far a run is to look.

    QUICK: a tile or two of everything. STANDARD: what published networks have, and 16-bit fields. DEEP: as far as a few
    seconds a case allow.
    """

    QUICK = "quick"
    STANDARD = "standard"
    DEEP = "deep"
