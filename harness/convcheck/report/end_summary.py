"""What a run came to in one text: the end of it on the terminal, the `repr` of a check."""

from __future__ import annotations

from convcheck.model.record import Record
from convcheck.report.discrepancies import diagnosis
from convcheck.report.guarantees import broken_line, guarantees_table
from convcheck.report.levels import levels_table, opening
from convcheck.report.rare_calls import excluded_rate_lines
from convcheck.report.summary import verdict
from convcheck.report.tables import counted, one_line, printable, table


def end_summary(record: Record) -> str:
    """Where each backend stands, its numbers, every finding in a line or three, and the verdict."""
    rows = [
        [
            b.name,
            b.unavailable or b.cases,
            record.judged(b.name),
            sum(f.backend == b.name for f in record.open_findings),
            sum(f.backend == b.name for f in record.findings) - sum(f.backend == b.name for f in record.open_findings),
        ]
        for b in record.backends
    ]
    numbers = table(["backend", "cases", "verdicts", "findings", "known"], rows, "text")
    lines = [opening(record), "", levels_table(record, "text"), "", numbers, ""]
    for f in record.findings:
        of = f"{f.level.label}: {one_line(f.backend, 'text')}"
        lines.append(
            f"{of}: {f.clause} {f.verdict.quantity} {f.status}, {counted(f.failing_cases, 'case')}: "
            f"{_indented(f.verdict.reason)}"
        )
        lines += [f"  {line}" for line in (diagnosis(f), f.reproduction.history or f.reproduction.token) if line]
    lines += filter(None, [guarantees_table(record, "text"), broken_line(record)])
    return printable("\n".join([*lines, *excluded_rate_lines(record), verdict(record)]))


def _indented(text: str) -> str:
    """The text, none of whose lines looks like one of ours."""
    return "\n    ".join(printable(text).split("\n"))
