"""A finding in one sentence: what is wrong, where, when it fails, and how it is repeated."""

from __future__ import annotations

from convcheck.model.record import Finding
from convcheck.report.discrepancies import diagnosis, replay_command
from convcheck.report.tables import one_line, worst


def finding_sentence(finding: Finding) -> str:
    """The sentence, in one line."""
    verdict, reproduction = finding.verdict, finding.reproduction
    said = [
        f"{finding.level.label}: {verdict.quantity} {finding.status}: {verdict.reason or finding.clause}",
        worst(verdict.evidence),
        diagnosis(finding),
        f"repeat it with: {replay_command(finding)}" if reproduction.token else "",
    ]
    return one_line("; ".join(filter(None, said)), "text")
