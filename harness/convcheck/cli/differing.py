"""`convcheck diff`: what is other in one run, or matrix, than in an earlier one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from convcheck.cli.output import AsJson, say, say_json
from convcheck.cli.records import record_of
from convcheck.cli.running import FINDINGS
from convcheck.report.compatibility.difference import matrix_difference, matrix_difference_text
from convcheck.report.compatibility.matrix_file import MATRIX, read_matrix
from convcheck.report.difference import DRIFT, difference, difference_text
from convcheck.report.write import RECORD


def diff(
    before: Annotated[
        Path, typer.Argument(metavar="RUN_A", help="the earlier run: its folder, or its findings.jsonl; or matrix.json")
    ],
    after: Annotated[Path, typer.Argument(metavar="RUN_B", help="the later run, or matrix")],
    drift: Annotated[float, typer.Option(help="times by which a margin has to differ to be listed", min=1.0)] = DRIFT,
    as_json: AsJson = False,
) -> None:
    """List what is new, changed and fixed between two runs or matrices; exit status 1 for what is new or changed."""
    files = _matrix(before), _matrix(after)
    if (files[0] is None) is not (files[1] is None):
        of_run, of_matrix = (before, after) if files[0] is None else (after, before)
        raise typer.BadParameter(f"{of_run} is a run, {of_matrix} a matrix; expected two of one kind")
    if files[0] is not None and files[1] is not None:
        cells = matrix_difference(read_matrix(files[0]), read_matrix(files[1]))
        _show("matrix diff", cells, matrix_difference_text(cells, "text"), as_json=as_json)
        raise typer.Exit(FINDINGS if cells.worse else 0)
    found = difference(record_of(before), record_of(after), drift)
    _show("diff", found, difference_text(found, "text"), as_json=as_json)
    raise typer.Exit(FINDINGS if found.worse else 0)


def _show(kind: str, found: Any, text: str, *, as_json: bool) -> None:
    if as_json:
        say_json(kind, found)
    else:
        say(text)


def _matrix(path: Path) -> Path | None:
    """The file of a matrix; None for a run. A folder that has both is a run's."""
    if path.suffix == ".json":
        return path
    alone = (path / MATRIX).is_file() and not (path / RECORD).exists()
    return path / MATRIX if alone else None
