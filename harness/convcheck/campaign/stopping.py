"""Stopping a run: a first signal ends the case that is judged, a second one ends everything at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, Protocol

SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Whoever stops a run finds reports of what was done."""

CASE: Final = 1.5
"""Seconds that the case may take to its end: somebody waits."""

CAUSES: Final = 1.5
"""Seconds in which causes are looked for after that."""


class StopAtOnce(BaseException):
    """A second signal: nothing more is done, and the journal is as it is.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Stop(Protocol):
    """Whether a run is to stop."""

    def requested(self) -> bool:
        """Whether no further case is wanted."""
        ...

    def hurry(self, seconds: float) -> None:
        """Raise KeyboardInterrupt in so many seconds; 0 for never."""
        ...


class Never:
    """Nobody stops the run but by an interrupt."""

    def requested(self) -> bool:
        """Whether no further case is wanted."""
        return False

    def hurry(self, seconds: float) -> None:
        """Nothing waits."""


class BySignal:
    """Stops a run when its process gets a signal; whatever still takes long then is interrupted."""

    def __init__(self) -> None:
        self.received = 0
        self._hurrying = True

    def requested(self) -> bool:
        """Whether no further case is wanted."""
        return self.received > 0

    def hurry(self, seconds: float) -> None:
        """Raise KeyboardInterrupt in so many seconds; 0 for never, whatever signal comes first."""
        self._hurrying = seconds > 0
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self.received:
            raise StopAtOnce(number)
        self.received = number
        if self._hurrying:
            signal.setitimer(signal.ITIMER_REAL, CASE)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self._hurrying:
            raise KeyboardInterrupt

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to signals; elsewhere than in a program's main thread nobody can."""
        if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
            yield
            return
        before = {number: signal.signal(number, self._receive) for number in SIGNALS}
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._interrupt)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in before.items():
                signal.signal(number, handler)
