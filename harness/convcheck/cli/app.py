"""The commands."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from convcheck.campaign import Options
from convcheck.campaign.database import open_database
from convcheck.campaign.known_failures_file import load_known_failures
from convcheck.cli.availability import available
from convcheck.cli.certify import certify
from convcheck.cli.characterize import characterize
from convcheck.cli.common import before_any_command
from convcheck.cli.differing import diff
from convcheck.cli.doctor import doctor
from convcheck.cli.dtypes import check_dtypes
from convcheck.cli.explaining import explain
from convcheck.cli.histories import replay_history
from convcheck.cli.large import large
from convcheck.cli.listing import installed_names, list_backends
from convcheck.cli.numbers import MOST_CASES, MOST_WORKERS, Limit, Seed, seconds
from convcheck.cli.output import say
from convcheck.cli.records import record_of
from convcheck.cli.resuming import resume
from convcheck.cli.running import FINDINGS, run_and_report
from convcheck.cli.sanitized import replay_sanitized
from convcheck.cli.worker_limits import Memory, StartLimit
from convcheck.execution import CALL_LIMIT, START_LIMIT, Candidate, open_candidate
from convcheck.judging.judge import judge_case
from convcheck.model.ladder import Ladder
from convcheck.model.levels import LAST, Level
from convcheck.model.sanitizers import Sanitizer
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES, JUDGED
from convcheck.oracles import applicable
from convcheck.report import write_report
from convcheck.report.end_summary import end_summary
from convcheck.report.folder import check_writable, folder_of
from convcheck.report.tables import table, worst
from convcheck.triage.probe import MOST_CALLS
from convcheck_reference.clauses import clause as find_clause
from convcheck_reference.clauses import specification_markdown

app = typer.Typer(
    name="convcheck",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

app.callback()(before_any_command)
app.command()(certify)
app.command()(characterize)
app.command()(doctor)
app.command()(diff)
app.command()(explain)
app.command()(large)
app.command()(resume)
app.command("list")(list_backends)

Backends = Annotated[
    list[str],
    typer.Option("--backend", "-b", help="installed name, file.py:name or module:Name", autocompletion=installed_names),
]
InProcess = Annotated[bool, typer.Option(help="run the candidate in this process, for debuggers")]
Untrusted = Annotated[
    bool, typer.Option("--untrusted", help="for kernels that may have been written to pass: no way to the judge")
]
Sanitize = Annotated[
    Sanitizer | None,
    typer.Option(help="a share of the cases, or those given, run under this sanitizer too", case_sensitive=False),
]
UpTo = Annotated[
    Level,
    typer.Option(
        help="the last level that counts for exit status, badge and matrix; what is wrong beyond is reported as well",
        case_sensitive=False,
    ),
]


@app.command()
def run(
    backend: Backends,
    examples: Annotated[
        int | None,
        typer.Option(help="cases for each backend (default 1000); a fifth more reach far", min=1, max=MOST_CASES),
    ] = None,
    time: Annotated[str, typer.Option(help="wall time for each backend instead: 90s, 5m, 1h")] = "",
    seed: Seed = 0,
    dtype: Annotated[list[str] | None, typer.Option(help="only these dtypes")] = None,
    clause: Annotated[str, typer.Option(help="only verdicts on this clause")] = "",
    report_dir: Annotated[Path, typer.Option(help="where the report's folder goes")] = Path("reports"),
    name: Annotated[str, typer.Option(help="of the report's folder (default: time and seed)")] = "",
    known_failures: Annotated[
        Path | None, typer.Option(help="TOML file, or folder of <backend>.toml", exists=True)
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="judging processes (default: one a core)", min=1, max=MOST_WORKERS)
    ] = None,
    level: UpTo = LAST,
    limit: Limit = CALL_LIMIT,
    start_limit: StartLimit = START_LIMIT,
    memory: Memory = None,
    diagnosis_calls: Annotated[
        int,
        typer.Option(
            help="calls in which causes of failures are looked for; fewer where one takes seconds",
            min=0,
            max=MOST_CASES,
        ),
    ] = MOST_CALLS,
    diagnosis_time: Annotated[
        str,
        typer.Option(help="time for that: 90s, 5m (default: a third of the time of the cases, at least 5m)"),
    ] = "",
    reach: Annotated[
        Ladder, typer.Option(help="how far some of the cases reach: sizes, published layers", case_sensitive=False)
    ] = Ladder.STANDARD,
    database: Annotated[
        str,
        typer.Option(help="of cases that failed before, which are tried first: a folder, module:attribute or 'none'"),
    ] = "",
    scheduler: Annotated[
        str, typer.Option(help="judge on a Dask cluster: its scheduler's address, or 'local' to start one here")
    ] = "",
    in_process: InProcess = False,
    untrusted: Untrusted = False,
    sanitize: Sanitize = None,
) -> None:
    """Judge backends on generated cases and write a report."""
    check_dtypes(dtype or ())
    _check_process(untrusted=untrusted, in_process=in_process, sanitize=sanitize)
    limit_of_time = seconds(time, "--time")
    options = Options(
        specs=tuple(dict.fromkeys(backend)),
        examples=None if limit_of_time is not None and examples is None else examples or 1000,
        seconds=limit_of_time,
        seed=seed,
        dtypes=tuple(dtype or ()),
        clause=find_clause(clause).id if clause else "",
        workers=workers or os.cpu_count() or 1,
        scheduler=scheduler,
        in_process=in_process,
        untrusted=untrusted,
        sanitize=sanitize,
        limit=limit,
        start_limit=start_limit,
        memory=memory,
        diagnosis_calls=diagnosis_calls,
        diagnosis_seconds=seconds(diagnosis_time, "--diagnosis-time"),
        known=load_known_failures(known_failures, backend) if known_failures else (),
        database=database,
        level=level,
        reach=reach,
    )
    examples_database = open_database(options.database)
    name = name or f"{datetime.now(UTC):%Y%m%d-%H%M%S}-seed{seed}"
    command = shlex.join(["convcheck", *sys.argv[1:]])
    folder = folder_of(report_dir, name)
    raise typer.Exit(run_and_report(options, folder, name=name, command=command, database=examples_database))


@app.command()
def replay(
    backend: Backends,
    tokens: Annotated[
        list[str] | None, typer.Argument(metavar="TOKEN…", help="cases, run in order in one process")
    ] = None,
    history: Annotated[str, typer.Option(help="calls in the same buffers instead, with spaces between them")] = "",
    limit: Limit = CALL_LIMIT,
    in_process: InProcess = False,
    untrusted: Untrusted = False,
    sanitize: Sanitize = None,
) -> None:
    """Judge given cases, or the calls of a history, and show every verdict."""
    _check_process(untrusted=untrusted, in_process=in_process, sanitize=sanitize)
    if bool(tokens) is bool(history):
        raise typer.BadParameter("expected cases, as TOKEN…, or --history 'STEP STEP …', and not both")
    if history and sanitize:
        raise typer.BadParameter("--sanitize takes cases, as TOKEN…; leave out --history")
    if history:
        opened = partial(_open, limit=limit, in_process=in_process, untrusted=untrusted)
        raise typer.Exit(0 if replay_history(history, backend, opened) else FINDINGS)
    cases = [read(token) for token in tokens or ()]
    if sanitize:
        raise typer.Exit(0 if replay_sanitized(cases, backend, sanitize, limit) else FINDINGS)
    failed = False
    judged = 0
    for spec in backend:
        candidate = _open(spec, limit=limit, in_process=in_process, untrusted=untrusted)
        rows = []
        for case in cases:
            for v in judge_case(candidate, case, applicable(case))[0]:
                failed |= v.status in FAILURES
                judged += v.status in JUDGED
                evidence = worst(v.evidence)
                margin = "" if v.margin is None else f"{v.margin:.3g}"
                rows.append([v.oracle, v.quantity, v.status, v.clauses[0], margin, v.reason, evidence])
        candidate.close()
        say(f"{spec}\n" + "\n".join(f"  {c.token}\n  {c.arguments} on {c.input_shape}" for c in cases))
        headers = ["oracle", "quantity", "status", "clause", "error / bound", "reason", "worst element"]
        say(table(headers, rows, "text") + "\n")
    if not judged:
        say("nothing was judged")
    raise typer.Exit(FINDINGS if failed or not judged else 0)


@app.command()
def spec() -> None:
    """Print the specification, clause by clause."""
    say(specification_markdown())


@app.command()
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


def _check_process(*, untrusted: bool, in_process: bool, sanitize: Sanitizer | None) -> None:
    if sanitize and (untrusted or in_process):
        without = "--untrusted" if untrusted else "--in-process"
        raise typer.BadParameter(f"--sanitize needs a process of its own, started in its own way; leave out {without}")
    if untrusted and in_process:
        raise typer.BadParameter("--untrusted needs a process of its own for the candidate; leave out --in-process")


def _open(spec: str, *, limit: float, in_process: bool, untrusted: bool) -> Candidate:
    with available(spec):
        return open_candidate(spec, limit=limit, in_process=in_process, untrusted=untrusted)
