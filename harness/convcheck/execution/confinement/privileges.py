"""What a process may do beyond what its files' permissions say: given up before a candidate is loaded."""

from __future__ import annotations

import ctypes
import os
import resource
import struct
from contextlib import suppress
from typing import Final

from convcheck.execution.confinement.linux import (
    CAPSET,
    PR_CAP_AMBIENT,
    PR_CAPBSET_DROP,
    PR_SET_DUMPABLE,
    PR_SET_NO_NEW_PRIVS,
    call,
    machine,
    on_linux,
    prctl,
)

NOBODY: Final = 65534
"""The uid and the gid of nobody, on every distribution of Linux that is known to us."""

_CAPABILITIES: Final = 64
_THIRD_VERSION: Final = 0x20080522
_CLEAR_ALL: Final = 4


def become_nobody() -> None:
    """Change the uid, the gid and the groups of this process, which takes a root's rights.

    Raises:
        OSError: the system refused.
    """
    _bound()
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    prctl(PR_SET_DUMPABLE, 1)  # or it could not read of itself in /proc


def give_up_capabilities() -> None:
    """Have no capability, and no way to one: not by a file's, nor by the uid of root.

    Raises:
        OSError: the system refused.
    """
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    _bound()
    with suppress(OSError):
        prctl(PR_CAP_AMBIENT, _CLEAR_ALL)
    header, none = struct.pack("Ii", _THIRD_VERSION, 0), bytes(24)
    call(CAPSET[machine()], ctypes.c_char_p(header), ctypes.c_char_p(none))


def _bound() -> None:
    for capability in range(_CAPABILITIES):
        with suppress(OSError):  # without the right to, or beyond the last that there is
            prctl(PR_CAPBSET_DROP, capability)


def leave_no_core() -> None:
    """A process that dies leaves no file of its memory behind."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_memory(size: int) -> None:
    """Limit what a process may allocate, in bytes, unless less is allowed already."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    limit = size if most == resource.RLIM_INFINITY else min(size, most)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def be_opaque() -> None:
    """Let no process of the same user look into this one's memory, or at its descriptors."""
    if on_linux():
        prctl(PR_SET_DUMPABLE, 0)
