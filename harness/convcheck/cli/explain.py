"""The command that explains a layer."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from convcheck.cli.explanation import explain as explain_layer
from convcheck.cli.explanation import parse_layer
from convcheck.cli.numbers import shape
from convcheck.cli.output import say
from convcheck.report.tables import table

ILLEGAL = 1


def explain(
    layer: Annotated[str, typer.Argument(help="Conv2d(3, 10, kernel_size=5, padding=2)")],
    input_: Annotated[str, typer.Option("--input", help="N,C,H,W or C,H,W")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Say what each parameter of a layer means."""
    found = explain_layer(parse_layer(layer), shape(input_) if input_ else None)
    if as_json:
        say(json.dumps(asdict(found), ensure_ascii=False, indent=2))
    else:
        say(found.layer)
        if found.meaning:
            say(table(["", ""], list(found.meaning.items()), "text"))
        say("legal" if found.legal else f"illegal: {found.error}")
    raise typer.Exit(0 if found.legal else ILLEGAL)
