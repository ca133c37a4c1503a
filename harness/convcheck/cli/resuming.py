"""`convcheck resume`: a run that was stopped, killed or lost goes on from where its journal ends."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from convcheck.campaign.campaign import ResumeError
from convcheck.campaign.database import open_database
from convcheck.campaign.journal import JOURNAL
from convcheck.campaign.past import Past
from convcheck.cli.output import AsJson
from convcheck.cli.running import run_and_report
from convcheck.model.record_lines import RecordError
from convcheck.report import read_record


def resume(
    folder: Annotated[Path, typer.Argument(help="the report's folder of the run")],
    workers: Annotated[int | None, typer.Option(help="judging processes (default: as the run had)", min=1)] = None,
    database: Annotated[
        str | None,
        typer.Option(help="where to remember what fails: a folder, module:attribute, 'none' (default: as the run)"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Go on with a run that did not end; nothing that its journal has is judged again."""
    past = Past(folder / JOURNAL)
    begun = past.begun
    if begun.version != version("convcheck"):
        raise ResumeError(
            f"the run was begun with convcheck {begun.version}, and this is {version('convcheck')}, which may draw "
            "other cases; begin a new run"
        )
    try:
        ended = not read_record(folder).interrupted
    except RecordError:
        ended = False
    if ended:
        raise ResumeError(f"the run in {folder} has ended; `convcheck report {folder}` writes its reports anew")
    options = begun.options if workers is None else replace(begun.options, workers=workers)
    raise typer.Exit(
        run_and_report(
            options,
            folder,
            database=open_database(options.database if database is None else database),
            past=past,
            as_json=as_json,
        )
    )
