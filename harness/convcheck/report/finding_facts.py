"""A finding as plain facts, one by one: what machines read, under keys that stay."""

from __future__ import annotations

from convcheck.model.record import Finding, Record
from convcheck.report.replaying import replay_command
from convcheck.report.sentence import finding_sentence

Fact = str | int | float | bool | None


def finding_facts(record: Record, number: int, finding: Finding) -> dict[str, Fact]:
    """The facts of one finding.

    Args:
        record: that it is of.
        number: its place there, from 1.
        finding: which.
    """
    verdict, found, reproduction = finding.verdict, finding.diagnosis, finding.reproduction
    condition, defects, evidence = found.failure_condition, found.known_defects, verdict.evidence
    return {
        "number": number,
        "backend": finding.backend,
        "level": str(finding.level),
        "clause": finding.clause,
        "quantity": verdict.quantity,
        "status": str(finding.status),
        "counts": finding in record.decisive_findings,
        "sentence": finding_sentence(finding),
        "reason": verdict.reason,
        "rule": condition.rule.text if condition is not None else "",
        "rule_is_exact": condition.exact if condition is not None else None,
        "lookalike": defects[0].name if defects else "",
        "behaves_like": defects[0].summary if defects else "",
        "where": evidence.location if evidence is not None else "",
        "margin": verdict.margin,
        "declaration": found.declaration or (found.promise.declaration if found.promise is not None else ""),
        "failing_cases": finding.failing_cases,
        "dtypes": " ".join(finding.dtypes),
        "token": reproduction.token,
        "history": reproduction.history,
        "replay": replay_command(finding),
        "known": finding.known,
    }


COLUMNS = (
    *("number", "backend", "level", "clause", "quantity", "status", "counts", "sentence", "reason"),
    *("rule", "rule_is_exact", "lookalike", "behaves_like", "where", "margin", "declaration"),
    *("failing_cases", "dtypes", "token", "history", "replay", "known"),
)
"""The keys, in their order."""
