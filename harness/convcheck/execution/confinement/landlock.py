"""Landlock: a process gives up, for good, all files but those that it names; the kernel holds it to that.

Every thread and every child that it makes afterwards is held too, and nobody who is held can look into a process that
is not. See landlock(7).
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from convcheck.execution.confinement.linux import GENERIC, PR_SET_NO_NEW_PRIVS, call, on_linux, prctl

_EXECUTE: Final = 1 << 0
_WRITE_FILE: Final = 1 << 1
_READ_FILE: Final = 1 << 2
_READ_DIR: Final = 1 << 3
_REFER: Final = 1 << 13
_TRUNCATE: Final = 1 << 14
_IOCTL_DEV: Final = 1 << 15
_OF_FIRST_VERSION: Final = (1 << 13) - 1
_OF_FILES: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_READ: Final = _READ_FILE | _READ_DIR
_MAKE_DEVICES: Final = 1 << 6 | 1 << 11

_TCP: Final = 0b11
_SCOPES: Final = 0b11
"""Of sockets with abstract names, and of signals."""

OF_NETWORK: Final = 4
OF_SIGNALS: Final = 6
"""The versions from which on Landlock knows of TCP, and of signals."""

_VERSION: Final = 1
_PATH_BENEATH: Final = 1


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """The version of Landlock's interface that the kernel has; 0 where it has none."""
    if not on_linux():
        return 0
    try:
        return call(GENERIC["landlock_create_ruleset"], None, 0, _VERSION)
    except OSError:
        return 0


def restrict(known: int, read: Iterable[Path], execute: Iterable[Path], write: Iterable[Path]) -> None:
    """Give up all files but these, for the calling thread and those that it starts.

    Args:
        known: the version of the interface.
        read: files and folders that may be read, with all that is below them.
        execute: those that may be executed.
        write: those that may be changed in any way.

    Raises:
        OSError: the system refused.
    """
    handled = _OF_FIRST_VERSION | _REFER * (known >= 2) | _TRUNCATE * (known >= 3) | _IOCTL_DEV * (known >= 5)
    attributes = _Ruleset(handled, _TCP * (known >= OF_NETWORK), _SCOPES * (known >= OF_SIGNALS))
    size = 8 if known < OF_NETWORK else 16 if known < OF_SIGNALS else 24
    ruleset = call(GENERIC["landlock_create_ruleset"], ctypes.byref(attributes), size, 0)
    try:
        for paths, rights in ((read, _READ), (execute, _EXECUTE), (write, handled & ~_MAKE_DEVICES & ~_EXECUTE)):
            for path in paths:
                _allow(ruleset, path, rights)
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        call(GENERIC["landlock_restrict_self"], ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):  # what cannot be opened needs no right
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _OF_FILES
        beneath = _PathBeneath(rights, descriptor)
        call(GENERIC["landlock_add_rule"], ruleset, _PATH_BENEATH, ctypes.byref(beneath), 0)
    finally:
        os.close(descriptor)
