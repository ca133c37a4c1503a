"""A run on the pages of GitHub Actions: an annotation for each finding, and the summary of the job.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from convcheck.model.record import Finding, Record
from convcheck.model.verdicts import Status
from convcheck.report.errors import ReportError
from convcheck.report.levels import levels_table, opening
from convcheck.report.sentence import finding_sentence
from convcheck.report.source_location import source_location
from convcheck.report.summary import verdict
from convcheck.report.tables import counted, one_line, paragraphs

SUMMARY: Final = "GITHUB_STEP_SUMMARY"
"""The variable that names the file of the job's summary."""

MOST_LISTED: Final = 100
"""Findings in the summary, whose file may have a mebibyte."""


def workflow_commands(record: Record) -> Iterator[str]:
    """A workflow command for each finding, which the service shows beside the source where it knows that."""
    decisive = record.decisive_findings
    for finding in record.findings:
        kind = "error" if finding in decisive else "notice"
        title = f"{finding.level.label}: {finding.clause} of {finding.backend}"
        yield _command(kind, {**_place(record, finding), "title": title}, finding_sentence(finding))
    if not decisive and not record.conforms:
        yield _command("error", {"title": "convcheck"}, verdict(record))


def job_summary(record: Record) -> str:
    """Where each backend stands and every finding in a sentence, as Markdown."""
    found = [f for f in record.findings if f.status is not Status.KNOWN_FAILURE]
    lines = [
        f"{number}. {one_line(f'{f.level.label}: {f.backend}: {finding_sentence(f)}', 'markdown')}"
        for number, f in enumerate(found[:MOST_LISTED], 1)
    ]
    if len(found) > MOST_LISTED:
        lines.append(f"\nand {counted(len(found) - MOST_LISTED, 'finding')} more")
    parts = [
        f"## convcheck: {one_line(verdict(record), 'markdown')}",
        paragraphs(opening(record), "markdown"),
        levels_table(record, "markdown"),
        "\n".join(lines),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def write_job_summary(record: Record, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether there is a job to whose summary it was added.

    Raises:
        ReportError: its file cannot be written.
    """
    file = environment.get(SUMMARY)
    if not file:
        return False
    try:
        with Path(file).open("a", encoding="utf-8", errors="replace") as summary:
            summary.write(job_summary(record))
    except OSError as error:
        raise ReportError(f"the summary of the job, ${SUMMARY}={file!r}, cannot be written: {error}") from error
    return True


def _place(record: Record, finding: Finding) -> dict[str, str]:
    spec = next(each.spec for each in record.backends if each.name == finding.backend)
    where = source_location(spec)
    return {} if where is None else {"file": where.path, "line": str(where.line)}


def _command(kind: str, properties: Mapping[str, str], message: str) -> str:
    said = ",".join(f"{name}={_escaped(value, in_property=True)}" for name, value in properties.items())
    return f"::{kind} {said}::{_escaped(message)}"


def _escaped(text: str, *, in_property: bool = False) -> str:
    escaped = one_line(text, "text").replace("%", "%25")
    return escaped.replace(":", "%3A").replace(",", "%2C") if in_property else escaped
