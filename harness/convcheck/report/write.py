"""Writing a report's folder, each file atomically, and reading a record back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from convcheck.model.record import Record
from convcheck.model.record_lines import RecordError, from_lines, to_lines
from convcheck.model.text_file import text_of
from convcheck.report.atomic import write_atomically
from convcheck.report.badge import badge
from convcheck.report.discrepancies import discrepancies
from convcheck.report.errors import ReportError
from convcheck.report.html import html
from convcheck.report.junit import junit
from convcheck.report.script import script
from convcheck.report.summary import summary

RECORD = "findings.jsonl"


def write_report(record: Record, folder: Path) -> Record:
    """Write every file of the report; the record as written, its findings naming their scripts.

    Raises:
        ReportError: one of them cannot be written; those that were stay as they are.
    """
    try:
        return _written(record, folder)
    except OSError as error:
        raise ReportError(f"the report in {str(folder)!r} cannot be written: {error.strerror or error}") from error


def write_text(file: Path, text: str) -> None:
    """Write one document, whole or not at all.

    Raises:
        ReportError: it cannot be written; what was there stays.
    """
    try:
        write_atomically(file, text)
    except (OSError, ValueError) as error:
        raise ReportError(f"{str(file)[:300]!r} cannot be written: {error}; name another file") from error


def _written(record: Record, folder: Path) -> Record:
    folder.mkdir(parents=True, exist_ok=True)
    findings = []
    for number, finding in enumerate(record.findings, 1):
        text = script(record, finding)
        name = f"reproduce_{number}.py" if text else ""
        if text:
            write_atomically(folder / name, text)
        findings.append(replace(finding, reproduction=replace(finding.reproduction, script=name)))
    record = replace(record, findings=tuple(findings))
    write_atomically(folder / RECORD, "\n".join(to_lines(record)) + "\n")
    write_atomically(folder / "summary.md", summary(record, "markdown"))
    write_atomically(folder / "summary.txt", summary(record, "text"))
    write_atomically(folder / "discrepancies.md", discrepancies(record))
    write_atomically(folder / "junit.xml", junit(record))
    write_atomically(folder / "badge.json", badge(record))
    write_atomically(folder / "index.html", html(record))
    _remove_stale_scripts(folder, {finding.reproduction.script for finding in findings})
    return record


def _remove_stale_scripts(folder: Path, named: set[str]) -> None:
    """What an earlier report in the same folder left of findings that are gone."""
    for script_of_old in folder.glob("reproduce_*.py"):
        if script_of_old.stem.removeprefix("reproduce_").isdigit() and script_of_old.name not in named:
            script_of_old.unlink()


def read_record(path: Path) -> Record:
    """The record of a report's folder, or of its findings.jsonl.

    Raises:
        RecordError: there is none, or it cannot be read.
    """
    file = path
    try:
        file = path / RECORD if path.is_dir() else path
        text = text_of(file)
    except (OSError, ValueError) as error:  # also a name that no file can have
        where = str(file)[:300]
        why = getattr(error, "strerror", None) or error
        raise RecordError(f"{where} cannot be read: {why}; expected a report's folder or its {RECORD}") from error
    try:
        return from_lines(text.split("\n"))
    except RecordError as error:
        raise RecordError(f"{file}: {error}") from error
