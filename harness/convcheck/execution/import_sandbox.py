"""Withholding: in a process that has a candidate nobody vouches for, the judge's files cannot be opened.

What a worker needs is loaded before, and no formulation of the convolution is part of it. A process that
the candidate starts can open what the user can.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Final

import convcheck
import convcheck_reference

_NAMING: Final = frozenset({"open", "os.link", "os.rename"})
"""Audit events whose first argument names a file."""


def block_the_judge() -> None:
    """From here on, opening a file of the harness or of the reference raises PermissionError.

    Importing opens files, so it raises too. So does giving one another name, and opening a folder on the way to
    one, from which it could be opened by a name that says nothing. The hook cannot be removed from Python.
    """
    folders = tuple(os.path.realpath(path) + os.sep for p in (convcheck, convcheck_reference) for path in p.__path__)
    entered = False

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal entered
        if event not in _NAMING or entered or not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        entered = True  # looking a path up may raise events of its own
        try:
            path = os.fsdecode(os.path.realpath(arguments[0]))
        finally:
            entered = False
        within = path.rstrip(os.sep) + os.sep
        if within.startswith(folders) or any(folder.startswith(within) for folder in folders):
            raise PermissionError(f"{path} belongs to the judge; it is withheld in an untrusted run")

    sys.addaudithook(refuse)
