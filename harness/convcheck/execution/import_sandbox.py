"""The import sandbox: in a process that has a candidate nobody vouches for, who asks for the judge's files is told why.

What a worker needs, and what a candidate's file may import, is loaded before, and no formulation of the convolution is
part of it. That the files cannot be opened is for the operating system to see to (`convcheck.execution.confinement`):
who reaches behind Python's own functions is not told anything.
"""

from __future__ import annotations

import os
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any, Final

import convcheck
import convcheck_reference

_FORMULATIONS: Final = frozenset({"ReferenceBackend", "parametrize_with_checks", "strategies"})
"""Public names that bring a formulation of the convolution along."""

_PACKAGES: Final = frozenset({convcheck.__name__, convcheck_reference.__name__})
_REFUSAL: Final = "{} belongs to the judge; the import sandbox of an untrusted run closes it"

_NAMING: Final = frozenset({"open", "os.link", "os.rename"})
"""Audit events whose first argument names a file."""


def load_public_names() -> None:
    """Load what a candidate's file may import of convcheck."""
    for name in set(convcheck.__all__) - _FORMULATIONS:
        getattr(convcheck, name)


def block_the_judge() -> None:
    """From here on, opening a file of the harness or of the reference raises PermissionError.

    Importing opens files, so it raises too, but for the public names, which are loaded first: a candidate's file may
    import them. So does giving a file another name, and opening a folder on the way to one, from which it could be
    opened by a name that says nothing. The hook cannot be removed from Python.
    """
    load_public_names()
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
            raise PermissionError(_REFUSAL.format(path))

    sys.addaudithook(refuse)
    sys.meta_path.insert(0, _Refusal())


class _Refusal(MetaPathFinder):
    """Says why a module of the judge is not found, where its files are not even there."""

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> None:
        """No module, or an error."""
        if fullname.partition(".")[0] in _PACKAGES:
            raise PermissionError(_REFUSAL.format(_file_of(fullname)))


def _file_of(module: str) -> Path:
    package, *parts = module.split(".")
    return Path(sys.modules[package].__path__[0], *parts).with_suffix(".py")
