"""The import sandbox: in a process that has a candidate nobody vouches for, the judge's files cannot be opened.

What a worker needs, and what a candidate's file may import, is loaded before, and no formulation of the convolution is
part of it. A process that the candidate starts can open what the user can.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Final

import convcheck
import convcheck_reference

_FORMULATIONS: Final = frozenset({"ReferenceBackend"})
"""Public names that bring a formulation of the convolution along."""

_NAMING: Final = frozenset({"open", "os.link", "os.rename"})
"""Audit events whose first argument names a file."""


def block_the_judge() -> None:
    """From here on, opening a file of the harness or of the reference raises PermissionError.

    Importing opens files, so it raises too, but for the public names, which are loaded first: a candidate's file may
    import them. So does giving a file another name, and opening a folder on the way to one, from which it could be
    opened by a name that says nothing. The hook cannot be removed from Python.
    """
    for name in set(convcheck.__all__) - _FORMULATIONS:
        getattr(convcheck, name)
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
            raise PermissionError(f"{path} belongs to the judge; the import sandbox of an untrusted run closes it")

    sys.addaudithook(refuse)
