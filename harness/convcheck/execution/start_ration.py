"""How many fresh processes are worth their time, by what one costs: a process with a device takes seconds to start."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

CHEAP: Final = 1.0
"""Seconds of a start that nobody counts: a fork takes milliseconds, and one that was started ahead none."""

SHARE: Final = 0.1
"""Of all time that may be waited for fresh processes, save where one has died."""


class StartRation:
    """Counts what fresh processes cost.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._begun = clock()
        self._waited = 0.0
        self._start_up = 0.0

    @property
    def slow(self) -> bool:
        """Whether a start takes so long that one is worth making ahead."""
        return self._start_up > CHEAP

    def allows(self, begun: float) -> bool:
        """Whether a fresh process is worth waiting for now, whose start was or will be begun at a time."""
        wait = self._left(begun)
        return wait <= CHEAP or self._waited + wait <= SHARE * (self.clock() - self._begun)

    def started(self, start_up: float, begun: float, asked: float) -> None:
        """A process is in use.

        Args:
            start_up: seconds that it took to start, wherever these passed.
            begun: the time at which that was begun.
            asked: the time since which it has been waited for.
        """
        self._start_up = max(self._start_up, start_up)
        self._waited += max(0.0, begun + start_up - asked)

    def _left(self, begun: float) -> float:
        return max(0.0, begun + self._start_up - self.clock())
