"""The walls around an untrusted candidate: which may be put up, and which stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Means:
    """What may be used; what of it there is on the machine shows when it is tried.

    Attributes:
        namespaces: namespaces of Linux.
        bubblewrap: `bwrap`, where it is installed and they cannot be entered without it.
        landlock: the highest version of Landlock's interface; 0 for none.
        seccomp: filters of system calls.
        another_uid: becoming nobody, where this user may.
        memory: bytes that the candidate may allocate; None for half of what the machine has.
    """

    namespaces: bool = True
    bubblewrap: bool = True
    landlock: int = 7
    seccomp: bool = True
    another_uid: bool = True
    memory: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Walls:
    """What stands around a candidate.

    Attributes:
        own_root: a file system, processes, a network and shared memory of its own.
        bubblewrap: the namespaces are bubblewrap's, in which the whole file system is to be seen.
        users: a namespace of users as well.
        landlock: the version of its interface in use; 0 for none.
        seccomp: system calls are filtered.
        nobody: it runs as nobody.
        capabilities: whether it may have any.
        memory: bytes that it may allocate; 0 for no limit.
        missing: why each of the others does not stand, by its attribute.
    """

    own_root: bool = False
    bubblewrap: bool = False
    users: bool = False
    landlock: int = 0
    seccomp: bool = False
    nobody: bool = False
    capabilities: bool = True
    memory: int = 0
    missing: tuple[tuple[str, str], ...] = ()


ALL_MEANS: Final = Means()
"""Whatever the machine offers."""
