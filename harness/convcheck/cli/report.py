"""`convcheck report`: the reports of a run anew, or its findings in one of the forms that other programs read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from convcheck.cli.output import as_json_text, say
from convcheck.cli.records import record_of
from convcheck.model.levels import Level
from convcheck.model.record import Record
from convcheck.report import write_report, write_text
from convcheck.report.as_json import run_as_json
from convcheck.report.end_summary import end_summary
from convcheck.report.findings_csv import findings_csv
from convcheck.report.folder import check_writable
from convcheck.report.html import html
from convcheck.report.junit import junit
from convcheck.report.sarif import sarif
from convcheck.report.summary import summary


class Form(StrEnum):
    """In which findings can be had."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    JUNIT = "junit"
    JSON = "json"
    CSV = "csv"
    SARIF = "sarif"


FORMS: Final[Mapping[Form, Callable[[Record], str]]] = {
    Form.TEXT: partial(summary, style="text"),
    Form.MARKDOWN: partial(summary, style="markdown"),
    Form.HTML: html,
    Form.JUNIT: junit,
    Form.JSON: lambda record: as_json_text("run", run_as_json(record)),
    Form.CSV: findings_csv,
    Form.SARIF: sarif,
}


def report(
    folder: Annotated[Path, typer.Argument(help="a report's folder, or its findings.jsonl")],
    to: Annotated[
        Path | None,
        typer.Option(help="where to write: by default in place; with --format a file, by default standard output"),
    ] = None,
    level: Annotated[
        Level | None, typer.Option(help="the last level that counts; by default that of the run", case_sensitive=False)
    ] = None,
    form: Annotated[
        Form | None, typer.Option("--format", help="one document instead of all of them", case_sensitive=False)
    ] = None,
) -> None:
    """Write a report anew from its record; of a run that has not ended, from its journal."""
    record = record_of(folder)
    record = record if level is None else replace(record, level=level)
    if form is None:
        _write_all(record, to or (folder if folder.is_dir() else folder.parent))
    elif to is None:
        say(FORMS[form](record).removesuffix("\n"))
    else:
        write_text(to, FORMS[form](record))


def _write_all(record: Record, target: Path) -> None:
    check_writable(target)
    write_report(record, target)
    say(end_summary(record))
    say(f"report: {target / 'index.html'}")
