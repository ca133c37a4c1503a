"""What a run came to in one text: the end of it on the terminal, the `repr` of a check."""

from __future__ import annotations

from collections.abc import Iterator

from convcheck.model.record import Record
from convcheck.report.guarantees import broken_line, guarantees_table
from convcheck.report.levels import levels_table, opening
from convcheck.report.rare_calls import excluded_rate_lines
from convcheck.report.sentence import finding_sentence
from convcheck.report.summary import verdict
from convcheck.report.tables import one_line, printable, table


def end_summary(record: Record) -> str:
    """Where each backend stands, its numbers, every finding in a sentence, and the verdict."""
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
    lines += filter(None, [guarantees_table(record, "text"), broken_line(record)])
    lines += [*excluded_rate_lines(record), *_findings(record), verdict(record)]
    return printable("\n".join(lines))


def _findings(record: Record) -> Iterator[str]:
    """A sentence for each finding, which names its backend where there are several."""
    several = len(record.backends) > 1
    for number, finding in enumerate(record.findings, 1):
        of = f" of {one_line(finding.backend, 'text')}" if several else ""
        yield f"{number}. {finding.level.label}, {finding.clause}{of}: {finding_sentence(finding)}"
