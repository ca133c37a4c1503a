"""The findings as CSV (RFC 4180), a row each, for spreadsheets and databases."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from convcheck.model.record import Record
from convcheck.report.finding_facts import COLUMNS, Fact, finding_facts
from convcheck.report.tables import one_line

_FORMULA: Final = ("=", "+", "-", "@")


def findings_csv(record: Record) -> str:
    """The table, with a header."""
    return csv_text(COLUMNS, [finding_facts(record, n, finding) for n, finding in enumerate(record.findings, 1)])


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Fact]]) -> str:
    """Facts as CSV, with a header; what a row lacks is empty."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    for facts in rows:
        writer.writerow({column: _cell(fact) for column, fact in facts.items()})
    return text.getvalue()


def _cell(fact: Fact) -> str:
    if not isinstance(fact, str):
        return "" if fact is None else str(fact).lower()
    cell = one_line(fact, "text")
    # a spreadsheet computes what begins so: https://owasp.org/www-community/attacks/CSV_Injection
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
