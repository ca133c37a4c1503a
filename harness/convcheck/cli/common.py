"""What `convcheck` takes before any command, and what the project's settings say in the place of options."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from convcheck.cli.output import say
from convcheck.model.settings import settings_above, settings_of

_OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "run": {
        "backends": "backend",
        "dtypes": "dtype",
        **{name: name.replace("-", "_") for name in ("known-failures", "report-dir", "diagnosis-time")},
        **{name: name for name in ("examples", "seed", "level", "reach", "database", "workers", "limit", "memory")},
    },
    "matrix": {
        "backends": "backend",
        "dtypes": "dtype",
        **{name: name.replace("-", "_") for name in ("known-failures", "report-dir")},
        **{name: name for name in ("examples", "seed", "level", "workers", "limit")},
    },
    "replay": {"backends": "backend", "limit": "limit"},
    "characterize": {"dtypes": "dtype", "seed": "seed", "limit": "limit"},
    "certify": {"report-dir": "report_dir"},
}
"""By command, which of its parameters each setting is the default of."""


def _show(asked: bool) -> None:
    if asked:
        say(f"convcheck {version('convcheck')}")
        raise typer.Exit


def before_any_command(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show, is_eager=True)
    ] = False,
    config: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="with tool.convcheck; by default the nearest pyproject.toml, 'none' for none",
        ),
    ] = "",
) -> None:
    """Does a Conv2d implementation compute what torch.nn.Conv2d is documented to compute?"""
    command = context.invoked_subcommand or ""
    if command in _OPTIONS and config != "none":
        settings = settings_of(Path(config)) if config else settings_above(Path.cwd())
        context.default_map = {command: _defaults(_OPTIONS[command], settings)}


def _defaults(options: Mapping[str, str], settings: Mapping[str, Any]) -> dict[str, Any]:
    return {parameter: settings[name] for name, parameter in options.items() if name in settings}
