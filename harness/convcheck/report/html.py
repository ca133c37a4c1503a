"""The report as one self-contained page."""

from __future__ import annotations

from markupsafe import Markup

from convcheck.model.levels import MEANINGS, level_of_clause
from convcheck.model.record import BackendRecord, Finding, Record
from convcheck.model.verdicts import Status
from convcheck.report.discrepancies import details
from convcheck.report.heat_maps import as_svg
from convcheck.report.levels import HEADERS, opening, rows
from convcheck.report.matrix import cell, clause_verdict, clauses_in_order
from convcheck.report.reach import REACH_HEADERS, reach_rows
from convcheck.report.replaying import replay_command
from convcheck.report.summary import verdict
from convcheck.report.tables import printable
from convcheck.report.templating import environment
from convcheck_reference.clauses import Clause


def html(record: Record) -> str:
    """The page; it fetches nothing."""
    ran = [b for b in record.backends if not b.unavailable]
    matrix = [
        (
            level_of_clause(clause.id),
            clause,
            [(cell(record, b.name, clause.id), _colour(record, b, clause)) for b in ran],
        )
        for clause in clauses_in_order(record)
    ]
    findings = [(f, details(f), replay_command(f), _maps(f)) for f in record.findings]
    template = environment().get_template("index.html.j2")
    page = template.render(
        record=record,
        opening=opening(record).split("\n"),
        verdict=verdict(record),
        headers=HEADERS,
        levels=rows(record),
        meanings=MEANINGS,
        ran=ran,
        matrix=matrix,
        reach_headers=REACH_HEADERS,
        reach=reach_rows(record),
        findings=findings,
    )
    return printable(page)


def _colour(record: Record, backend: BackendRecord, clause: Clause) -> str:
    status, _, failed = clause_verdict(record, backend.name, clause.id)
    if status is Status.ELSEWHERE:
        return "none"
    if failed or status is Status.UNEXPECTED_PASS:
        return "bad"
    return "pass" if status is Status.PASS else "none"


def _maps(finding: Finding) -> Markup:
    where = finding.diagnosis.localization
    maps = where.maps if where is not None else ()
    return Markup(" ").join(Markup(as_svg(found)) for found in maps)  # noqa: S704  (our own words and numbers)
