"""What `run` and `resume` have in common: a campaign with a journal, progress on the terminal, and its reports."""

from __future__ import annotations

from pathlib import Path

import typer
from hypothesis.database import ExampleDatabase
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from convcheck.campaign import Options
from convcheck.campaign import run as run_campaign
from convcheck.campaign.journal import JOURNAL
from convcheck.campaign.past import Past
from convcheck.campaign.stopping import BySignal
from convcheck.cli.end_summary import end_summary
from convcheck.model.record import Record
from convcheck.report import write_report
from convcheck_reference.errors import ConvcheckError

FINDINGS = 1


class ReportFolderError(ConvcheckError, OSError):
    """A folder in which no report can be written."""


def run_and_report(
    options: Options,
    folder: Path,
    *,
    name: str,
    command: str,
    database: ExampleDatabase | None,
    past: Past | None = None,
) -> int:
    """Judge, write every report, show what came of it; the exit status.

    Args:
        options: what to do.
        folder: of the reports and the journal.
        name: of the run.
        command: that repeats it.
        database: of what failed before.
        past: what was judged already.

    Raises:
        ConvcheckError: something that the run needs is not there; nothing was judged.
        JournalError, ReportError: what is judged cannot be kept.
        StopAtOnce: a second signal came.
    """
    check_folder(folder)
    stop, written = BySignal(), list[Record]()
    console = Console(stderr=True)
    with (
        stop.listening(),
        Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}"), TimeElapsedColumn(),
            console=console,
        ) as progress,
    ):  # fmt: skip
        tasks = {s: progress.add_task(s, total=options.examples, state="", start=False) for s in options.specs}

        def advance(spec: str, cases: int, state: str) -> None:
            progress.start_task(tasks[spec])
            progress.update(tasks[spec], completed=cases, state=state)

        def checkpoint(record: Record) -> None:
            written[:] = [write_report(record, folder)]

        run_campaign(
            options,
            name=name,
            command=command,
            progress=advance,
            checkpoint=checkpoint,
            database=database,
            journal=folder / JOURNAL,
            past=past,
            stop=stop,
        )
    (record,) = written
    typer.echo(end_summary(record))
    typer.echo(f"report: {folder / 'index.html'}")
    if record.interrupted:
        typer.echo(f"go on: convcheck resume {folder}")
    return 0 if record.conforms else FINDINGS


def check_folder(folder: Path) -> None:
    """Make a run's folder, and see that it can be written to, before anything is judged.

    Raises:
        ReportFolderError: it cannot; the message says why.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.write_bytes(b"convcheck" * 1000)
        probe.unlink()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ReportFolderError(
            f"the report's folder {str(folder)!r} cannot be written: {why}; name another by --report-dir and --name"
        ) from error
