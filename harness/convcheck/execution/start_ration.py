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
        self._clock = clock
        self._begun = clock()
        self._waited = 0.0
        self._start_up = 0.0
        self._ahead_since: float | None = None

    @property
    def slow(self) -> bool:
        """Whether a start takes so long that one is worth making ahead."""
        return self._start_up > CHEAP

    def allows(self) -> bool:
        """Whether a fresh process is worth waiting for now."""
        wait = self._expected_wait()
        return wait <= CHEAP or self._waited + wait <= SHARE * (self._clock() - self._begun)

    def started(self, start_up: float) -> None:
        """A process is in use that took so many seconds to start, wherever these passed."""
        self._waited += self._expected_wait() if self._ahead_since is not None else start_up
        self._start_up = max(self._start_up, start_up)
        self._ahead_since = None

    def starting_ahead(self) -> None:
        """A process has been started that nobody waits for yet."""
        self._ahead_since = self._clock()

    def _expected_wait(self) -> float:
        passed = 0.0 if self._ahead_since is None else self._clock() - self._ahead_since
        return max(0.0, self._start_up - passed)
