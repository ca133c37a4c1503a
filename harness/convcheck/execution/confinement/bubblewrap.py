"""bubblewrap, where it is installed and may enter namespaces that this user may not enter alone.

It may be installed with root's rights, or be the one program that the system's policy lets have namespaces of users.
Worker and supervisor then run in namespaces that it makes, and see the whole file system, read-only but for the
folder of temporary files: what is hidden there, and what is not to be written to, is left to Landlock.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from functools import cache
from typing import Final

from convcheck.execution.confinement.linux import on_linux
from convcheck.execution.confinement.walls import Means

_LIMIT: Final = 20.0
_OWN: Final = "import ctypes; raise SystemExit(ctypes.CDLL(None).unshare({flags}) != 0)"
_AS_ROOT: Final = 0x60020000
"""Of mounts, processes and networks."""
_WITH_USERS: Final = _AS_ROOT | 0x10000000


def wrapper(means: Means) -> tuple[str, ...]:
    """The command that a worker is started by; empty where namespaces can be entered without it, or not at all.

    Args:
        means: of the system that may be used.
    """
    if not (means.bubblewrap and on_linux()) or (means.namespaces and _entered_alone()):
        return ()
    return _command()


@cache
def _entered_alone() -> bool:
    return any(_works(sys.executable, "-I", "-S", "-c", _OWN.format(flags=flags)) for flags in (_AS_ROOT, _WITH_USERS))


@cache
def _command() -> tuple[str, ...]:
    program = shutil.which("bwrap")
    if program is None:
        return ()
    temporary = tempfile.gettempdir()
    found = (
        *(program, "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--bind", temporary, temporary),
        *("--dev", "/dev", "--proc", "/proc"),
    )
    return found if _works(*found, "true") else ()


def _works(*command: str) -> bool:
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=_LIMIT)  # noqa: S603  (our own)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
