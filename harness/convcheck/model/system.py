"""What this system has that not every one has. Linux has all of it; elsewhere what is missing is done without."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_THREADS: Final = Path("/proc/self/task")


@dataclass(frozen=True, slots=True)
class System:
    """What there is.

    Attributes:
        workers: sockets carry descriptors, by which a candidate gets a process of its own.
        forks: a process can be forked, and told how many threads it has, those of C++ as well.
        guards: access to pages can be taken away.
        processes: all of them are listed, with their parents and memory.
        adoption: a process can adopt what descends from it and loses its parent.
        confinement: namespaces, Landlock and filters of system calls.
    """

    workers: bool
    forks: bool
    guards: bool
    processes: bool
    adoption: bool
    confinement: bool


LOST: Final[Mapping[str, str]] = {
    "workers": "a candidate has no process of its own: only --in-process, where a crash ends the run",
    "forks": "workers are started, not forked: each that replaces another imports the engine anew",
    "guards": "an access outside of a tensor is no crash; what is written there shows, what is read only by its value",
    "processes": "the memory of workers is not limited, and what a call leaves running is not seen",
    "adoption": "what a candidate starts in a session of its own may outlive it",
    "confinement": "no --untrusted",
}
"""What is lost where a part of a system is missing, by its attribute."""


@cache
def this_system() -> System:
    """What the system of this process has."""
    library = ctypes.CDLL(None) if hasattr(os, "fork") else None  # Windows has no library of that kind
    return System(
        workers=hasattr(socket, "send_fds"),
        forks=hasattr(os, "fork") and _THREADS.is_dir(),
        guards=hasattr(library, "mprotect"),
        processes=Path("/proc/self/stat").is_file(),
        adoption=hasattr(library, "prctl"),
        confinement=sys.platform == "linux",
    )


def may_fork() -> bool:
    """Whether this process can be forked safely now: it has but one thread, and the system can tell."""
    return this_system().forks and len(list(_THREADS.iterdir())) == 1
