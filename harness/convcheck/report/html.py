"""The report as one self-contained page."""

from __future__ import annotations

from markupsafe import Markup

from convcheck.model.record import Finding, Record
from convcheck.report.discrepancies import details, replay_command
from convcheck.report.heat_maps import as_svg
from convcheck.report.summary import clause_verdict, verdict
from convcheck.report.tables import printable
from convcheck.report.templating import environment
from convcheck_reference.clauses import CLAUSES


def html(record: Record) -> str:
    """The page; it fetches nothing."""
    ran = [b for b in record.backends if not b.unavailable]
    matrix = [(clause, [clause_verdict(record, backend.name, clause.id) for backend in ran]) for clause in CLAUSES]
    findings = [(f, details(f), replay_command(f), _maps(f)) for f in record.findings]
    template = environment().get_template("index.html.j2")
    page = template.render(record=record, verdict=verdict(record), ran=ran, matrix=matrix, findings=findings)
    return printable(page)


def _maps(finding: Finding) -> Markup:
    where = finding.diagnosis.localization
    maps = where.maps if where is not None else ()
    return Markup(" ").join(Markup(as_svg(found)) for found in maps)  # noqa: S704  (our own words and numbers)
