"""Commands that are imported when one of them is asked for: `--help` lists them by their summaries alone."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True, slots=True)
class Lazy:
    """A command that nobody has asked for yet.

    Attributes:
        target: module:function.
        summary: what it does, in a sentence; the function's docstring says the same.
    """

    target: str
    summary: str


def lazy_group(commands: Mapping[str, Lazy]) -> type[TyperGroup]:
    """The class of a group of these commands, in this order."""

    class LazyGroup(TyperGroup):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            for name, command in commands.items():
                self.add_command(TyperCommand(name, help=command.summary))

        def resolve_command(self, *given: Any) -> tuple[str | None, Any, list[str]]:
            name, listed, arguments = super().resolve_command(*given)
            return name, listed if name is None else _loaded(name, commands[name]), arguments

    return LazyGroup


def _loaded(name: str, command: Lazy) -> Any:
    module, _, function = command.target.partition(":")
    with _uncollected():
        imported = import_module(module)
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command(name, help=command.summary)(getattr(imported, function))
    return typer.main.get_command(alone)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Within, nobody looks for garbage: what an import makes stays, and looking takes a sixth of its time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
