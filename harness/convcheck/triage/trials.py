"""Cases that are tried while a failing one is shrunk: each asked once, and no more than there is a budget for."""

from __future__ import annotations

from collections.abc import Callable

from convcheck.model.case import Case


class Trials:
    """Whether cases still fail, within a budget that all ways of shrinking share.

    Attributes:
        left: cases that may still be tried. When there are none, those that were not tried count as passing.
    """

    def __init__(self, case: Case, still_fails: Callable[[Case], bool], most: int) -> None:
        self.left = most
        self._still_fails = still_fails
        self._known = {case.token: True}

    @property
    def tried(self) -> int:
        """Cases that were tried; the first, which is known to fail, is none of them."""
        return len(self._known) - 1

    def fails(self, case: Case) -> bool:
        """Whether a case fails; False where it cannot be tried any more."""
        if case.token not in self._known:
            if self.left <= 0:
                return False
            self.left -= 1
            self._known[case.token] = self._still_fails(case)
        return self._known[case.token]
