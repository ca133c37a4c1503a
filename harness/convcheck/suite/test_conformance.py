"""One test for each backend, dtype and clause; the cases of a backend and dtype are judged once."""

from __future__ import annotations

import pytest

from convcheck.model.record import NOT_LOOKED_AT, Finding, Record
from convcheck.model.verdicts import FAILURES, Status
from convcheck.pytest_plugin import Judgements
from convcheck.report.failure_text import failure_properties, failure_text
from convcheck.report.matrix import clause_verdict
from convcheck.report.sentence import finding_sentence
from convcheck.report.tables import printable
from convcheck_reference.errors import ConvcheckError


def test_clause(
    conv_judgements: Judgements,
    conv_backend: str,
    conv_dtype: str,
    conv_clause: str,
    request: pytest.FixtureRequest,
) -> None:
    """No case of the run shows a discrepancy that breaks this clause."""
    try:
        record = conv_judgements.record(conv_backend, conv_dtype)
    except ConvcheckError as error:  # of a backend that the project's settings name: it cannot be loaded, say
        pytest.fail(printable(f"{conv_backend}: {error}"), pytrace=False)
    for finding in _decisive(record, conv_clause):
        # not by `record_property`, which warns of a schema of JUnit that pytest does not follow itself
        request.node.user_properties += failure_properties(finding).items()
    settle(record, conv_backend, conv_clause)


def settle(record: Record, conv_backend: str, conv_clause: str) -> None:
    """Let the test of a clause fail, be skipped or fail as expected, by the record of one backend and dtype."""
    backend = record.backends[0]
    if backend.unavailable:
        pytest.skip(printable(f"{conv_backend} is unavailable: {backend.unavailable}"))
    findings = [f for f in record.findings if f.clause == conv_clause]
    if decisive := _decisive(record, conv_clause):
        pytest.fail("\n\n".join(map(failure_text, decisive)), pytrace=False)
    if findings:
        why = "; ".join(f.known or f"beyond level {record.level.label}: {finding_sentence(f)}" for f in findings)
        pytest.xfail(printable(why))
    status, judged, failed = clause_verdict(record, conv_backend, conv_clause)
    if failed and status in FAILURES:
        pytest.fail(f"{status}: {failed} cases of {judged}; {NOT_LOOKED_AT}", pytrace=False)
    if failed:
        pytest.xfail(f"{status}: {failed} cases of {judged}")
    if not judged:
        pytest.skip(printable(_why_unjudged(record, conv_clause, status)))


def _decisive(record: Record, clause: str) -> list[Finding]:
    return [f for f in record.decisive_findings if f.clause == clause]


def _why_unjudged(record: Record, clause: str, status: Status | None) -> str:
    if not record.judged(record.backends[0].name):
        return "nothing of this dtype was judged: " + "; ".join({c.reason for c in record.counts})
    reasons = sorted({c.reason for c in record.counts if c.clause == clause})
    return f"{status}: {'; '.join(reasons)}" if reasons else "no case of this run exercises it, or no oracle judges it"
