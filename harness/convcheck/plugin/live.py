"""Objects of this process as backends for as long as they are judged: a function of a notebook, an instance.

What is lent is known to the thread that lends it, until the context ends: nothing stays behind, and no name is taken.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from keyword import iskeyword
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

_LENT: Final[ContextVar[Mapping[str, Any]]] = ContextVar("lent", default=MappingProxyType({}))
_IMPORTING: Final[ContextVar[bool]] = ContextVar("importing", default=False)


@contextmanager
def lent(name: str, target: Any) -> Iterator[None]:
    """Within, `convcheck.load` finds an object under a name, before anything else that is called so."""
    before = _LENT.set({**_LENT.get(), name: target})
    try:
        yield
    finally:
        _LENT.reset(before)


def lent_as(name: str) -> Any | None:
    """What is lent under a name; None for nothing."""
    return _LENT.get().get(name)


@contextmanager
def importing() -> Iterator[None]:
    """Within, the file or module of a backend is imported."""
    before = _IMPORTING.set(True)
    try:
        yield
    finally:
        _IMPORTING.reset(before)


def is_importing() -> bool:
    """Whether what runs does so because a backend is imported."""
    return _IMPORTING.get()


def is_live(name: str) -> bool:
    """Whether it is the name of an object that no other process can find, as `live_name` gives it."""
    return name == f"<{name[1:-1]}>" and name[1:-1].isidentifier()


def live_name(target: Any) -> str:
    """The name of such an object: in angle brackets, as no file, module or installed backend is called."""
    while isinstance(target, partial):
        target = target.func
    name = str(getattr(target, "__name__", "")).strip("<>")
    return f"<{name if name.isidentifier() else type(target).__name__}>"


def python_name(name: str) -> str:
    """How a program refers to the object of a live name; an ellipsis where it has none, as a lambda."""
    found = name.strip("<>")
    return "…" if iskeyword(found) else found


def spec_of(target: Any) -> str | None:
    """Under which any process finds a function or class: package.module:Name or path/to/file.py:name.

    None where there is no such name: for instances, local functions, lambdas, and what a notebook defines.
    """
    name = getattr(target, "__qualname__", None)
    module = sys.modules.get(getattr(target, "__module__", None) or "")
    file = getattr(module, "__file__", None)
    if not isinstance(name, str) or not name.isidentifier() or getattr(module, name, None) is not target:
        return None
    if not isinstance(file, str) or not file.endswith(".py") or not Path(file).is_file():
        return None
    path = Path(file).resolve()
    return f"{_in_package(module, path) or _shown(path)}:{name}"


def _in_package(module: Any, path: Path) -> str:
    """The dotted name of a module within a package that is found on sys.path; empty for others."""
    dotted = getattr(getattr(module, "__spec__", None), "name", "")  # that of __main__ is its own, after python -m
    above = dotted.count(".") + (path.stem == "__init__")
    if not above or above >= len(path.parents):
        return ""
    return dotted if path.parents[above] in {Path(entry or ".").resolve() for entry in sys.path} else ""


def _shown(path: Path) -> str:
    """The path from here, where it leads down."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
