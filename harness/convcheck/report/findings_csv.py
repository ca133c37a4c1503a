"""The findings as CSV (RFC 4180), a row each, for spreadsheets and databases."""

from __future__ import annotations

import csv
import io
from typing import Final

from convcheck.model.record import Record
from convcheck.report.finding_facts import COLUMNS, Fact, finding_facts
from convcheck.report.tables import one_line

_FORMULA: Final = ("=", "+", "-", "@")


def findings_csv(record: Record) -> str:
    """The table, with a header."""
    text = io.StringIO(newline="")
    rows = csv.DictWriter(text, COLUMNS)
    rows.writeheader()
    for number, finding in enumerate(record.findings, 1):
        facts = finding_facts(record, number, finding)
        rows.writerow({column: _cell(fact) for column, fact in facts.items()})
    return text.getvalue()


def _cell(fact: Fact) -> str:
    if not isinstance(fact, str):
        return "" if fact is None else str(fact).lower()
    cell = one_line(fact, "text")
    # a spreadsheet computes what begins so: https://owasp.org/www-community/attacks/CSV_Injection
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
