"""What `run` and `resume` have in common: a campaign with a journal, what it says as it goes on, and its reports."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from hypothesis.database import ExampleDatabase

from convcheck.campaign import Options
from convcheck.campaign import run as run_campaign
from convcheck.campaign.journal import JOURNAL
from convcheck.campaign.past import Past
from convcheck.campaign.stopping import BySignal
from convcheck.cli.narration import Telling, narrating
from convcheck.cli.output import complain, say, say_json
from convcheck.model.record import Record
from convcheck.report import write_report
from convcheck.report.as_json import run_as_json
from convcheck.report.end_summary import end_summary
from convcheck.report.folder import check_writable
from convcheck.report.github import workflow_commands, write_job_summary
from convcheck.report.tables import counted

FINDINGS = 1


def run_and_report(
    options: Options,
    folder: Path,
    *,
    database: ExampleDatabase | None,
    past: Past | None = None,
    as_json: bool = False,
    github: bool = False,
) -> int:
    """Judge, write every report, show what came of it; the exit status.

    Args:
        options: what to do.
        folder: of the reports and the journal; the run is named after it.
        database: of what failed before.
        past: what was judged already, of a run that had a name and was typed before.
        as_json: what came of it is shown for machines.
        github: it is shown on the pages of GitHub as well.

    Raises:
        ConvcheckError: something that the run needs is not there; nothing was judged.
        JournalError, ReportError: what is judged cannot be kept.
        StopAtOnce: a second signal came.
    """
    check_writable(folder)
    stop = BySignal()
    name, command = (folder.name, _typed()) if past is None else (past.begun.name, past.begun.command)
    complain(_begins(options, folder))
    with stop.listening(), narrating(options.specs, options.total) as narration:
        record = run_campaign(
            options,
            name=name,
            command=command,
            progress=narration.advance,
            found=Telling(narration.say),
            checkpoint=partial(write_report, folder=folder),
            database=database,
            journal=folder / JOURNAL,
            past=past,
            stop=stop,
        )
    if as_json:
        say_json("run", {**run_as_json(record), "report": str(folder)})
    else:
        _show(record, folder)
    if github:
        for line in workflow_commands(record):
            (complain if as_json else say)(line)
        write_job_summary(record)
    return 0 if record.conforms else FINDINGS


def usual_name(seed: int) -> str:
    """The name of a run that is given none: when it begins, and its seed."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-seed{seed}"


def _typed() -> str:
    """The command line that repeats what this process does."""
    return shlex.join(["convcheck", *sys.argv[1:]])


def _begins(options: Options, folder: Path) -> str:
    """What a run is about to do."""
    if options.examples is None:
        cases = f"for {options.seconds:g} seconds each"
    else:
        given = f"{counted(len(options.given), 'given case')}" if options.given else ""
        drawn = f"{counted(options.examples, 'case')} and those that reach far" if options.examples else ""
        cases = f"on {' and '.join(filter(None, (given, drawn)))}"
    processes = counted(options.workers, "judging process").replace("processs", "processes")
    return (
        f"judging {', '.join(options.specs)} {cases}, seed {options.seed}, {processes}; "
        f"an interrupt ends it and keeps what was found; report: {folder}"
    )


def _show(record: Record, folder: Path) -> None:
    say(end_summary(record))
    say(f"report: {folder / 'index.html'}")
    if record.interrupted:
        say(f"go on: convcheck resume {folder}")
