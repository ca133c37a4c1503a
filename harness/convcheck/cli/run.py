"""`convcheck run`: backends judged on generated cases, or on given ones, and a report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from convcheck.campaign import Options
from convcheck.campaign.database import open_database
from convcheck.campaign.known_failures_file import load_known_failures
from convcheck.cli.batch import Batch, read_batch
from convcheck.cli.candidates import (
    Backends,
    Dtypes,
    InProcess,
    KnownFailures,
    Sanitize,
    Untrusted,
    check_process,
    is_typed,
)
from convcheck.cli.dtypes import check_dtypes
from convcheck.cli.numbers import MOST_CASES, Limit, Seed, Workers, seconds
from convcheck.cli.output import AsJson
from convcheck.cli.running import run_and_report, usual_name
from convcheck.cli.worker_limits import Memory, StartLimit
from convcheck.execution import CALL_LIMIT, START_LIMIT
from convcheck.model.ladder import Ladder
from convcheck.model.levels import LAST, Level
from convcheck.report.folder import folder_of
from convcheck.triage.probe import MOST_CALLS
from convcheck_reference.clauses import clause as find_clause

UpTo = Annotated[
    Level,
    typer.Option(
        help="the last level that counts for exit status, badge and matrix; what is wrong beyond is reported as well",
        case_sensitive=False,
    ),
]


def run(
    context: typer.Context,
    backend: Backends,
    examples: Annotated[
        int | None,
        typer.Option(help="cases for each backend (default 1000); a fifth more reach far", min=1, max=MOST_CASES),
    ] = None,
    time: Annotated[str, typer.Option(help="wall time for each backend instead: 90s, 5m, 1h")] = "",
    seed: Seed = 0,
    dtype: Dtypes = None,
    clause: Annotated[str, typer.Option(help="only verdicts on this clause")] = "",
    report_dir: Annotated[Path, typer.Option(help="where the report's folder goes")] = Path("reports"),
    name: Annotated[str, typer.Option(help="of the report's folder (default: time and seed)")] = "",
    known_failures: KnownFailures = None,
    workers: Workers = None,
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
    batch: Batch = None,
    github: Annotated[bool, typer.Option("--github", help="annotations and a job summary for GitHub Actions")] = False,
    as_json: AsJson = False,
) -> None:
    """Judge backends on generated cases and write a report."""
    check_dtypes(dtype or ())
    check_process(untrusted=untrusted, in_process=in_process, sanitize=sanitize)
    limit_of_time = seconds(time, "--time")
    given = read_batch(batch) if batch else ()
    if batch and (limit_of_time is not None or sanitize):
        raise typer.BadParameter("--batch takes as long as its cases take, without a sanitizer; leave out the other")
    options = Options(
        specs=tuple(dict.fromkeys(backend)),
        examples=_examples(context, examples, limit_of_time, given=bool(given)),
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
        given=tuple(case.token for case in given),
    )
    examples_database = open_database(options.database)
    folder = folder_of(report_dir, name or usual_name(seed))
    raise typer.Exit(run_and_report(options, folder, database=examples_database, as_json=as_json, github=github))


def _examples(context: typer.Context, examples: int | None, limit_of_time: float | None, *, given: bool) -> int | None:
    """Cases that are generated; None for as many as there is time for.

    A number of the project's settings does not count where the command line says how long, or which cases.
    """
    typed = examples if is_typed(context, "examples") else None
    if given:
        return typed or 0
    return typed if limit_of_time is not None else examples or 1000
