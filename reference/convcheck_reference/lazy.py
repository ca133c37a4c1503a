"""Packages whose public names are imported when they are first asked for (PEP 562): what nobody uses costs no time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazily(package: str, homes: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """What a package calls `__getattr__`; `if TYPE_CHECKING:` the package imports the same names for type checkers.

    Args:
        package: its name.
        homes: the public names of each module that has some; a module of the package may be one, at home in itself.
    """
    modules = {name: module for module, names in homes.items() for name in names}

    def public(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = import_module(modules[name])
        return home if modules[name] == f"{package}.{name}" else getattr(home, name)

    return public
