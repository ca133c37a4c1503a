"""The command that lists installed backends: from metadata alone, unless it is told to load them."""

from __future__ import annotations

from typing import Annotated

import typer

from convcheck.cli.output import say
from convcheck.model.capabilities import CapabilityError
from convcheck.plugin.backend import UnavailableError
from convcheck.plugin.constructor_options import options_of_class
from convcheck.plugin.registry import installed
from convcheck.plugin.registry import load as load_backend
from convcheck.plugin.registry_errors import RegistryError
from convcheck.report.tables import table


def list_backends(
    load: Annotated[
        bool, typer.Option("--load", help="load each, which imports its engine, and say its dtypes and options")
    ] = False,
) -> None:
    """List installed backends; with --load their dtypes and options, or the reason why one is unavailable."""
    headers = ["backend", "from", "target", "state", *(["dtypes and options, or the reason"] if load else [])]
    rows = [
        [item.name, item.distribution, item.target, *(_loaded(item.name) if load else ["installed"])]
        for item in installed()
    ]
    say(table(headers, rows, "text"))


def installed_names(incomplete: str) -> list[str]:
    """Names of installed backends that begin so, for the completion of a shell; files are for the shell itself."""
    return [item.name for item in installed() if item.name.startswith(incomplete)]


def _loaded(name: str) -> tuple[str, str]:
    try:
        backend = load_backend(name)
        options = options_of_class(type(backend)).values()
        return "available", "; ".join([", ".join(backend.capabilities.dtypes), *map(str, options)])
    except (RegistryError, UnavailableError, CapabilityError) as error:
        return "unavailable", str(error)
