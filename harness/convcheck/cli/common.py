"""What `convcheck` takes before any command."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from convcheck.cli.output import say


def _show(asked: bool) -> None:
    if asked:
        say(f"convcheck {version('convcheck')}")
        raise typer.Exit


def before_any_command(
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show, is_eager=True)
    ] = False,
) -> None:
    """Does a Conv2d implementation compute what torch.nn.Conv2d is documented to compute?"""
