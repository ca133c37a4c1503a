"""`convcheck diff`: what is other in one run than in an earlier one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convcheck.cli.output import AsJson, say, say_json
from convcheck.cli.records import record_of
from convcheck.cli.running import FINDINGS
from convcheck.report.difference import DRIFT, difference, difference_text


def diff(
    before: Annotated[Path, typer.Argument(metavar="RUN_A", help="the earlier run: its folder, or its findings.jsonl")],
    after: Annotated[Path, typer.Argument(metavar="RUN_B", help="the later run")],
    drift: Annotated[float, typer.Option(help="times by which a margin has to differ to be listed", min=1.0)] = DRIFT,
    as_json: AsJson = False,
) -> None:
    """List findings that are new, changed and fixed, and margins that drift; exit status 1 for new or changed ones."""
    found = difference(record_of(before), record_of(after), drift)
    if as_json:
        say_json("diff", found)
    else:
        say(difference_text(found, "text"))
    raise typer.Exit(FINDINGS if found.worse else 0)
