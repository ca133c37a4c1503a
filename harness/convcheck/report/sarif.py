"""The findings as SARIF 2.1.0, which code scanning services and editors read (OASIS standard, 27 March 2020).

A clause of the specification is a rule, a finding a result, a known failure a suppressed one.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from convcheck.model.levels import level_of_clause
from convcheck.model.record import Finding, Record
from convcheck.model.verdicts import Status
from convcheck.report.finding_facts import finding_facts
from convcheck.report.sentence import finding_sentence
from convcheck.report.source_location import SourceLocation, source_location
from convcheck.report.tables import printable
from convcheck_reference.clauses import Clause, clause

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"


def sarif(record: Record) -> str:
    """The JSON document."""
    rules = sorted({finding.clause for finding in record.findings})
    run = {
        "tool": {
            "driver": {"name": "convcheck", "version": record.version, "rules": [_rule(clause(each)) for each in rules]}
        },
        "invocations": [
            {
                "commandLine": record.command,
                "startTimeUtc": record.started.replace("+00:00", "Z"),
                "executionSuccessful": not record.interrupted,
            }
        ],
        "results": [
            _result(record, number, finding, rules.index(finding.clause))
            for number, finding in enumerate(record.findings, 1)
        ],
        "columnKind": "unicodeCodePoints",
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_printable(run)]}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _rule(broken: Clause) -> dict[str, Any]:
    return {
        "id": broken.id,
        "shortDescription": {"text": f"{broken.title}."},
        "fullDescription": {"text": broken.text},
        "properties": {"level": str(level_of_clause(broken.id))},
    }


def _result(record: Record, number: int, finding: Finding, rule: int) -> dict[str, Any]:
    facts = finding_facts(record, number, finding)
    shown = {name: value for name, value in facts.items() if value not in ("", None)}
    if "margin" in shown:
        shown["margin"] = f"{shown['margin']:.6g}"  # it may be infinite, which JSON has not
    result = {
        "ruleId": finding.clause,
        "ruleIndex": rule,
        "level": "error" if facts["counts"] else "note",
        "message": {"text": finding_sentence(finding)},
        "locations": [_location(record, finding.backend)],
        "partialFingerprints": {"convcheck/v1": _fingerprint(finding)},
        "properties": shown,
    }
    if finding.status is Status.KNOWN_FAILURE:
        result["suppressions"] = [{"kind": "external", "justification": finding.known}]
    return result


def _location(record: Record, backend: str) -> dict[str, Any]:
    spec = next(each.spec for each in record.backends if each.name == backend)
    where = source_location(spec)
    found: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": backend, "kind": "function"}]}
    if where is not None:
        region = {"startLine": where.line}
        found["physicalLocation"] = {"artifactLocation": _artifact(where), "region": region}
    return found


def _artifact(where: SourceLocation) -> dict[str, str]:
    path = Path(where.path)
    if path.is_absolute():
        return {"uri": path.as_uri()}
    root = Path("/")
    return {"uri": (root / path).as_uri().removeprefix(root.as_uri()), "uriBaseId": "%SRCROOT%"}


def _fingerprint(finding: Finding) -> str:
    """The same for the same finding of two runs, whose cases and counts differ."""
    about = (finding.backend, str(finding.level), finding.clause, finding.verdict.quantity, str(finding.status))
    condition = finding.diagnosis.failure_condition
    said = (*about, condition.rule.text if condition is not None else "")
    return sha256("\0".join(said).encode(errors="replace")).hexdigest()


def _printable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _printable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_printable(each) for each in value]
    return printable(value) if isinstance(value, str) else value
