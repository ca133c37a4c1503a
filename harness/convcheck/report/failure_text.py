"""A finding as the text of a failing test: the sentence, and below it what it rests on."""

from __future__ import annotations

from collections.abc import Mapping

from convcheck.model.record import Finding
from convcheck.report.replaying import replay_command
from convcheck.report.sentence import sentence_of
from convcheck.report.tables import one_line, printable, worst


def failure_text(finding: Finding) -> str:
    """What is wrong, when, like what, where, and how to repeat it."""
    found, where = finding.diagnosis, finding.diagnosis.localization
    rows = {
        "what": finding.verdict.reason,
        "worst element": worst(finding.verdict.evidence),
        "where": "" if where is None else f"{where.words}, in {where.token}",
        "rule": "" if found.failure_condition is None else str(found.failure_condition),
        "lookalike": str(found.known_defects[0]) if found.known_defects else "",
        "replay": replay_command(finding),
    }
    lines = [f"  {name}: {one_line(text, 'text')}" for name, text in rows.items() if text]
    return printable("\n".join([f"{finding.level.label}: {sentence_of(finding).statement()}", *lines]))


def failure_properties(finding: Finding) -> Mapping[str, str]:
    """What a test's report carries to JUnit and other programs, as far as it is known."""
    found, reproduction = finding.diagnosis, finding.reproduction
    properties = {
        "level": str(finding.level),
        "rule": "" if found.failure_condition is None else found.failure_condition.rule.text,
        "lookalike": found.known_defects[0].name if found.known_defects else "",
        "case": reproduction.history or reproduction.token,
        "replay": replay_command(finding),
    }
    return {f"convcheck.{name}": printable(text) for name, text in properties.items() if text}
