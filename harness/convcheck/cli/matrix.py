"""`convcheck matrix`: engines × clauses, of what is judged now or of runs that were."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from convcheck.campaign import Options
from convcheck.campaign.database import open_database
from convcheck.campaign.known_failures_file import load_known_failures
from convcheck.cli.candidates import Dtypes, KnownFailures, is_typed
from convcheck.cli.dtypes import check_dtypes
from convcheck.cli.listing import installed_names
from convcheck.cli.numbers import MOST_CASES, Limit, Seed, Workers
from convcheck.cli.output import as_json_text, say
from convcheck.cli.records import record_of
from convcheck.cli.running import FINDINGS, run_and_report, usual_name
from convcheck.execution import CALL_LIMIT
from convcheck.model.levels import LAST, Level
from convcheck.model.matrix import Matrix
from convcheck.plugin.registry import installed
from convcheck.report.compatibility.matrix_file import KIND
from convcheck.report.compatibility.matrix_of import matrix_of
from convcheck.report.compatibility.words import summary_words
from convcheck.report.compatibility.write import PAGE, write_matrix
from convcheck.report.folder import check_writable, folder_of


def matrix(
    context: typer.Context,
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="[RUN]...", help="with --from: folders of runs, or findings.jsonl")
    ] = None,
    from_: Annotated[
        bool, typer.Option("--from", help="put runs together that were judged; nothing is judged")
    ] = False,
    backend: Annotated[
        list[str] | None,
        typer.Option("--backend", "-b", help="by default all that are installed", autocompletion=installed_names),
    ] = None,
    examples: Annotated[int, typer.Option(help="cases for each backend", min=1, max=MOST_CASES)] = 1000,
    seed: Seed = 0,
    dtype: Dtypes = None,
    report_dir: Annotated[Path, typer.Option(help="where the matrix's folder goes")] = Path("reports"),
    name: Annotated[str, typer.Option(help="of that folder (default: matrix, time and seed)")] = "",
    known_failures: KnownFailures = None,
    workers: Workers = None,
    level: Annotated[
        Level | None,
        typer.Option(
            help="the last level that counts (default: all; with --from those of the runs)", case_sensitive=False
        ),
    ] = None,
    limit: Limit = CALL_LIMIT,
) -> None:
    """Write the matrix of engines and clauses as a page, Markdown, CSV and JSON; exit status 1 for failing cells."""
    folder = folder_of(report_dir, name or f"matrix-{usual_name(seed)}")
    if _is_of_runs(context, runs or (), given=from_):
        records = [record_of(run) for run in dict.fromkeys(runs or ())]
        check_writable(folder)
        raise typer.Exit(_written(matrix_of(records, level), folder))
    check_dtypes(dtype or ())
    specs = tuple(dict.fromkeys(backend or (item.name for item in installed())))
    options = Options(
        specs=specs,
        examples=examples,
        seed=seed,
        dtypes=tuple(dtype or ()),
        workers=workers or os.cpu_count() or 1,
        limit=limit,
        known=load_known_failures(known_failures, specs) if known_failures else (),
        level=level or LAST,
    )
    run_and_report(options, folder, database=open_database(options.database))
    raise typer.Exit(_written(matrix_of([record_of(folder)]), folder))


def _is_of_runs(context: typer.Context, runs: Sequence[Path], *, given: bool) -> bool:
    """Whether runs are put together.

    Raises:
        BadParameter: some other things are asked for with it; the message says which.
    """
    if given and not runs:
        raise typer.BadParameter("--from needs the folders of runs: convcheck matrix --from reports/a reports/b")
    if runs and not given:
        raise typer.BadParameter(f"{runs[0]}: runs are put together with --from; backends are named with --backend")
    if given and is_typed(context, "backend"):
        raise typer.BadParameter("--from judges nothing; leave out --backend, or run that first")
    return given


def _written(found: Matrix, folder: Path) -> int:
    """Write the matrix; the exit status."""
    write_matrix(found, as_json_text(KIND, found), folder)
    say(summary_words(found))
    say(f"matrix: {folder / PAGE}")
    return 0 if found.conforms else FINDINGS
