"""The commands."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from convcheck.cli.certify import certify
from convcheck.cli.characterize import characterize
from convcheck.cli.common import before_any_command
from convcheck.cli.differing import diff
from convcheck.cli.doctor import doctor
from convcheck.cli.explanation import explain as explain_layer
from convcheck.cli.explanation import parse_layer
from convcheck.cli.large import large
from convcheck.cli.listing import list_backends
from convcheck.cli.new_backend import new_backend
from convcheck.cli.numbers import shape
from convcheck.cli.output import say
from convcheck.cli.replaying import replay
from convcheck.cli.reporting import report
from convcheck.cli.resuming import resume
from convcheck.cli.run import run
from convcheck.cli.running import FINDINGS
from convcheck.cli.schema import schema
from convcheck.report.tables import table
from convcheck_reference.clauses import specification_markdown

app = typer.Typer(
    name="convcheck",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

app.callback()(before_any_command)
app.command()(run)
app.command()(replay)
app.command()(report)
app.command()(resume)
app.command()(diff)
app.command()(characterize)
app.command()(large)
app.command("list")(list_backends)
app.command()(doctor)
app.command()(new_backend)
app.command()(schema)
app.command()(certify)


@app.command()
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
    raise typer.Exit(0 if found.legal else FINDINGS)


@app.command()
def spec() -> None:
    """Print the specification, clause by clause."""
    say(specification_markdown())
