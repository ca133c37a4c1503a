"""`convcheck issue`: a finding as a bug report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from convcheck.cli.output import complain, say
from convcheck.cli.records import record_of
from convcheck.execution.own_words import own_words
from convcheck.model.record import BackendRecord, Finding, Record
from convcheck.plugin.placed import Placed
from convcheck.report.issue import issue as issue_text
from convcheck.report.own_words import script_call
from convcheck_reference.errors import ConvcheckError


def issue(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="a report's folder, or its findings.jsonl")],
    number: Annotated[
        int | None,
        typer.Argument(metavar="FINDING", help="its number there; may be left out where there is one", min=1),
    ] = None,
) -> None:
    """Print a finding as a bug report: a script in the engine's own words, expected and got, when it fails."""
    record = record_of(run)
    finding = _chosen(record, number)
    backend = next(each for each in record.backends if each.name == finding.backend)
    say(issue_text(record, finding, _own_words(backend, finding)))


def _chosen(record: Record, number: int | None) -> Finding:
    """The finding that is asked for.

    Raises:
        BadParameter: there is none of the number, or several where none is named.
    """
    there = len(record.findings)
    if not there:
        raise typer.BadParameter(f"the run {record.name} has no findings, so there is nothing to report")
    if number is None and there > 1:
        raise typer.BadParameter(f"the run {record.name} has {there} findings; name one by its number, 1 to {there}")
    if number is not None and number > there:
        raise typer.BadParameter(f"the run {record.name} has no finding {number}; expected a number from 1 to {there}")
    return record.findings[(number or 1) - 1]


def _own_words(backend: BackendRecord, finding: Finding) -> Sequence[str]:
    """What the backend says of the call; nothing where it cannot be asked, or says nothing."""
    placed = Placed.of(backend.spec)
    call = script_call(backend.spec if placed is None else placed.backend, finding)
    if call is None:
        return ()
    if backend.guarantees:
        complain("convcheck: an untrusted candidate is not imported; the script is that of the report")
        return ()
    try:
        return own_words(backend.spec, call)
    except ConvcheckError as error:
        complain(f"convcheck: {error}; the script is that of the report instead of the engine's own words")
    return ()
