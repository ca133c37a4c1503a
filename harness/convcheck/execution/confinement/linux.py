"""System calls of Linux that Python has no function for."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from typing import Any, Final

from convcheck_reference.errors import ConvcheckError

PR_SET_DUMPABLE: Final = 4
PR_CAPBSET_DROP: Final = 24
PR_SET_SECCOMP: Final = 22
PR_SET_NO_NEW_PRIVS: Final = 38
PR_CAP_AMBIENT: Final = 47

GENERIC: Final = {
    "mount_setattr": 442,
    "landlock_create_ruleset": 444,
    "landlock_add_rule": 445,
    "landlock_restrict_self": 446,
}
"""Numbers of the system calls that have the same one on every machine."""

PIVOT_ROOT: Final = {"x86_64": 155, "aarch64": 41}

CAPSET: Final = {"x86_64": 126, "aarch64": 91}


class ConfinementError(ConvcheckError, RuntimeError):
    """A wall around an untrusted candidate that the machine seemed to offer could not be put up."""


def on_linux() -> bool:
    """Whether there is a kernel to ask."""
    return sys.platform == "linux"


def machine() -> str:
    """The name of the processor's architecture."""
    return platform.machine()


def call(number: int, *arguments: Any) -> int:
    """A system call by its number.

    Raises:
        OSError: it failed.
    """
    return _checked(_library().syscall(ctypes.c_long(number), *map(_argument, arguments)))


def function(name: str, *arguments: Any) -> int:
    """A function of the C library.

    Raises:
        OSError: it failed.
    """
    return _checked(getattr(_library(), name)(*map(_argument, arguments)))


def prctl(option: int, *arguments: int) -> int:
    """Change what the system holds of this process.

    Raises:
        OSError: the system refused.
    """
    return function("prctl", option, *(*arguments, 0, 0, 0, 0)[:4])


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _argument(value: Any) -> Any:
    return ctypes.c_long(value) if isinstance(value, int) else value


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
