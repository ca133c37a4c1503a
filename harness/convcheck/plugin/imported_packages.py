"""The packages that are imported where a function stands, as far as its module and its text tell.

They decide what is worth trying, and in which order, never what a function takes.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from convcheck.plugin.package_arrays import PACKAGES

_KNOWN: Final = ("torch", "numpy")
"""Those that are tried anyway."""


def spoken_for(function: Callable[..., Any]) -> str | None:
    """What a function takes, as far as its text tells: torch if its module or itself has torch in it, or NumPy."""
    packages = {name.partition(".")[0] for name in _names(function)}
    return next((kind for kind in _KNOWN if kind in packages), None)


def array_packages(function: Callable[..., Any]) -> tuple[str, ...]:
    """Other array libraries that its module has imported: known ones, and all that make arrays of others."""
    found = {package for name in _names(function) if (package := _array_package(name))}
    return tuple(sorted(found))


def _array_package(name: str) -> str:
    """The library that a name of a module speaks for, as `@capabilities(arrays=…)` has it; empty for none."""
    package = name.partition(".")[0]
    if package in _KNOWN or package not in sys.modules:
        return ""
    if package in PACKAGES:
        return package
    makes = any(callable(getattr(sys.modules.get(name), maker, None)) for maker in ("asarray", "from_dlpack"))
    return name if makes else ""


def _names(function: Callable[..., Any]) -> set[str]:
    """Of modules, and of those that its globals come from."""
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(function)
    written = function if inspect.isroutine(function) else inspect.unwrap(type(function).__call__)
    values = list(getattr(written, "__globals__", {}).values())
    names = {getattr(v, "__name__", "") if inspect.ismodule(v) else str(getattr(v, "__module__", "")) for v in values}
    return names | set(getattr(getattr(written, "__code__", None), "co_names", ()))  # that of an import in it is one
