"""How often a candidate may hang before it is asked no more: each time takes the whole limit."""

from __future__ import annotations

from typing import Final

_AT_FIRST: Final = 5
"""Hangs in a row of a candidate that has never answered."""

_IN_A_ROW: Final = 20
"""Of one that has."""

_IN_ALL: Final = 100


class Patience:
    """Counts hangs: of all calls that are put to a candidate together, so that those of one case are one."""

    def __init__(self) -> None:
        self._answered = False
        self._row = 0
        self._all = 0

    def saw(self, *, answers: int, hangs: int) -> None:
        """What came of calls that were put together."""
        self._answered |= answers > 0
        self._row = 0 if answers else self._row + (hangs > 0)
        self._all += hangs > 0

    @property
    def is_over(self) -> str:
        """Why the candidate is asked no more; empty if it is."""
        if self._row >= (_IN_A_ROW if self._answered else _AT_FIRST):
            return f"it hung {self._row} times in a row, and answered nothing in between"
        return f"it hung {self._all} times" if self._all >= _IN_ALL else ""
