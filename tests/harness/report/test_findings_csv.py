import csv
import io
from dataclasses import replace

from convcheck.report.finding_facts import COLUMNS, finding_facts
from convcheck.report.findings_csv import findings_csv
from full_record import COMPLETE, SHOWN


def rows_of(record):
    return list(csv.DictReader(io.StringIO(findings_csv(record), newline="")))


def test_every_finding_is_a_row_of_the_same_columns(record):
    rows = rows_of(record)
    assert [row["clause"] for row in rows] == [finding.clause for finding in record.findings]
    assert all(tuple(row) == COLUMNS for row in rows)
    assert (rows[0]["margin"], rows[0]["rule"], rows[0]["lookalike"]) == ("inf", "groups > 1 and bias", "bias-lost")
    assert rows[0]["reason"] == SHOWN


def test_the_columns_are_the_keys_of_the_facts(record):
    assert tuple(finding_facts(record, 1, COMPLETE)) == COLUMNS


def test_no_spreadsheet_computes_what_a_candidate_says(record):
    verdict = replace(COMPLETE.verdict, reason='=HYPERLINK("http://x")')
    (row,) = rows_of(replace(record, findings=(replace(COMPLETE, verdict=verdict),)))
    assert row["reason"] == '\'=HYPERLINK("http://x")'
