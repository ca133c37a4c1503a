"""The command that lists installed backends: from metadata alone, unless it is told to load them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from convcheck.cli.output import AsJson, say, say_json
from convcheck.model.capabilities import CapabilityError
from convcheck.plugin.backend import UnavailableError
from convcheck.plugin.constructor_options import options_of_class
from convcheck.plugin.registry import Installed, installed
from convcheck.plugin.registry import load as load_backend
from convcheck.plugin.registry_errors import RegistryError
from convcheck.report.tables import table


def list_backends(
    load: Annotated[
        bool, typer.Option("--load", help="load each, which imports its engine, and say its dtypes and options")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List installed backends; with --load their dtypes and options, or the reason why one is unavailable."""
    found = [_listed(item, load=load) for item in installed()]
    if as_json:
        say_json("list", {"backends": found})
        return
    headers = ["backend", "from", "target", "state", *(["dtypes and options, or the reason"] if load else [])]
    rows = [
        [
            item["name"],
            item["distribution"],
            item["target"],
            item["state"],
            *([_said(item)] if load else []),
        ]
        for item in found
    ]
    say(table(headers, rows, "text"))


def installed_names(incomplete: str) -> list[str]:
    """Names of installed backends that begin so, for the completion of a shell; files are for the shell itself."""
    return [item.name for item in installed() if item.name.startswith(incomplete)]


def _listed(item: Installed, *, load: bool) -> dict[str, Any]:
    """What there is to say about a backend, under keys that stay."""
    about = {"name": item.name, "distribution": item.distribution, "target": item.target}
    if not load:
        return {**about, "state": "installed"}
    try:
        backend = load_backend(item.name)
        options = [str(option) for option in options_of_class(type(backend)).values()]
        dtypes, versions = backend.capabilities.dtypes, backend.versions()
    except (RegistryError, UnavailableError, CapabilityError) as error:
        return {**about, "state": "unavailable", "reason": str(error), "dtypes": (), "options": (), "versions": {}}
    return {**about, "state": "available", "reason": "", "dtypes": dtypes, "options": options, "versions": versions}


def _said(item: Mapping[str, Any]) -> str:
    return "; ".join([", ".join(item["dtypes"]), *item["options"]]) if item["dtypes"] else item["reason"]
