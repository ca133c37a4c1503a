"""The command that writes a report anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from convcheck.cli.output import say
from convcheck.cli.records import record_of
from convcheck.model.levels import Level
from convcheck.report import write_report
from convcheck.report.end_summary import end_summary
from convcheck.report.folder import check_writable


def report(
    folder: Annotated[Path, typer.Argument(help="a report's folder, or its findings.jsonl")],
    to: Annotated[Path | None, typer.Option(help="where to write; by default in place")] = None,
    level: Annotated[
        Level | None, typer.Option(help="the last level that counts; by default that of the run", case_sensitive=False)
    ] = None,
) -> None:
    """Write a report anew from its record; of a run that has not ended, from its journal."""
    record = record_of(folder)
    record = record if level is None else replace(record, level=level)
    target = to or (folder if folder.is_dir() else folder.parent)
    check_writable(target)
    write_report(record, target)
    say(end_summary(record))
    say(f"report: {target / 'index.html'}")
