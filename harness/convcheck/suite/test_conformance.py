"""One test for each backend, dtype and clause; the cases of a backend and dtype are judged once."""

from __future__ import annotations

import pytest

from convcheck.model.record import NOT_LOOKED_AT, Finding, Record
from convcheck.model.verdicts import FAILURES, Status
from convcheck.pytest_plugin import Judgements
from convcheck.report.discrepancies import replay_command
from convcheck.report.matrix import clause_verdict
from convcheck.report.tables import printable


def test_clause(conv_judgements: Judgements, conv_backend: str, conv_dtype: str, conv_clause: str) -> None:
    """No case of the run shows a discrepancy that breaks this clause."""
    settle(conv_judgements.record(conv_backend, conv_dtype), conv_backend, conv_clause)


def settle(record: Record, conv_backend: str, conv_clause: str) -> None:
    """Let the test of a clause fail, be skipped or fail as expected, by the record of one backend and dtype."""
    backend = record.backends[0]
    if backend.unavailable:
        pytest.skip(printable(f"{conv_backend} is unavailable: {backend.unavailable}"))
    findings = [f for f in record.findings if f.clause == conv_clause]
    decisive = [f for f in findings if f in record.decisive_findings]
    if decisive:
        pytest.fail(
            printable("\n\n".join("\n".join(map(str, filter(None, _said(f)))) for f in decisive)),
            pytrace=False,
        )
    if findings:
        why = "; ".join(f.known or f"beyond level {record.level.label}: {f.verdict.reason}" for f in findings)
        pytest.xfail(printable(why))
    status, judged, failed = clause_verdict(record, conv_backend, conv_clause)
    if failed and status in FAILURES:
        pytest.fail(f"{status}: {failed} cases of {judged}; {NOT_LOOKED_AT}", pytrace=False)
    if failed:
        pytest.xfail(f"{status}: {failed} cases of {judged}")
    if not judged:
        pytest.skip(printable(_why_unjudged(record, conv_clause, status)))


def _said(finding: Finding) -> tuple[object, ...]:
    return f"{finding.level.label}: {finding.verdict.reason}", finding.verdict.evidence, replay_command(finding)


def _why_unjudged(record: Record, clause: str, status: Status | None) -> str:
    if not record.judged(record.backends[0].name):
        return "nothing of this dtype was judged: " + "; ".join({c.reason for c in record.counts})
    reasons = sorted({c.reason for c in record.counts if c.clause == clause})
    return f"{status}: {'; '.join(reasons)}" if reasons else "no case of this run exercises it, or no oracle judges it"
