"""What `run` and `resume` have in common: a campaign with a journal, progress on the terminal, and its reports."""

from __future__ import annotations

from pathlib import Path

from hypothesis.database import ExampleDatabase
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from convcheck.campaign import Options
from convcheck.campaign import run as run_campaign
from convcheck.campaign.journal import JOURNAL
from convcheck.campaign.past import Past
from convcheck.campaign.stopping import BySignal
from convcheck.cli.output import say
from convcheck.model.record import Record
from convcheck.report import write_report
from convcheck.report.end_summary import end_summary
from convcheck.report.folder import check_writable
from convcheck.report.tables import printable

FINDINGS = 1


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
    check_writable(folder)
    stop, written = BySignal(), list[Record]()
    console = Console(stderr=True)
    with (
        stop.listening(),
        Progress(
            TextColumn("{task.description}", markup=False), BarColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            TimeElapsedColumn(),
            console=console,
        ) as progress,
    ):  # fmt: skip
        tasks = {
            s: progress.add_task(printable(s), total=options.examples, state="", start=False) for s in options.specs
        }

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
    say(end_summary(record))
    say(f"report: {folder / 'index.html'}")
    if record.interrupted:
        say(f"go on: convcheck resume {folder}")
    return 0 if record.conforms else FINDINGS
