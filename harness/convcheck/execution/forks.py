"""The children of a worker: those that are alive, and those in which a call has returned as well."""

from __future__ import annotations

import mmap
import os
import time
from typing import Final

from convcheck.execution.processes import descendants
from convcheck.model.calls import Raised, Returned

_TOGETHER: Final = 0.05
"""Seconds in which a call that returns in the worker mostly returns in its child as well, if it does; what is seen
later is told with the next call."""

_WAITS: Final = 2
"""How often they are waited for in vain: who starts processes in one call starts them in all."""


class Forks:
    """Of the process that it is made in."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._returned = mmap.mmap(-1, 1)  # which children share
        self._known: tuple[int, ...] = ()
        self._waits = 0

    def end_if_child(self, outcome: Returned | Raised | None) -> None:
        """End this process if it is a child that should never have come here; one that exits may do so."""
        if os.getpid() == self._process:
            return
        if not (isinstance(outcome, Raised) and outcome.kind == SystemExit.__name__):
            self._returned[0] = 1
        os._exit(0)

    def children(self) -> tuple[int, ...]:
        """The descendants that are alive after a call; a new one is given a moment to end, or to return as well."""
        children = living_children()
        if set(children) - {*self._known} and self._waits < _WAITS:
            self._waits += 1
            until = time.monotonic() + _TOGETHER
            while set(children) - {*self._known} and not self.have_returned() and time.monotonic() < until:
                time.sleep(0.002)
                children = living_children()
        self._known = children
        return children

    def have_returned(self) -> bool:
        """Whether a call has returned in a child."""
        return self._returned[0] != 0


def living_children() -> tuple[int, ...]:
    """The numbers of the processes that descend from this one and are alive."""
    if not hasattr(os, "waitid"):
        return ()
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)  # says at once that there is none
    except ChildProcessError:
        return ()
    return tuple(descendants(os.getpid()))
