"""What a run came to, as machines read it: where each backend stands and every finding, under keys that stay.

The whole record is in ``findings.jsonl``; this is the summary of it.
"""

from __future__ import annotations

from typing import Any

from convcheck.model.record import BackendRecord, Record
from convcheck.report.finding_facts import finding_facts
from convcheck.report.levels import rows
from convcheck.report.summary import verdict


def run_as_json(record: Record) -> dict[str, Any]:
    """The summary, of values that JSON has."""
    return {
        "name": record.name,
        "command": record.command,
        "convcheck": record.version,
        "started": record.started,
        "seconds": round(record.seconds, 3),
        "seed": record.seed,
        "examples": record.examples,
        "cases": record.cases,
        "level": str(record.level),
        "conforms": record.conforms,
        "interrupted": record.interrupted,
        "verdict": verdict(record),
        "backends": [_backend(record, backend) for backend in record.backends],
        "findings": [finding_facts(record, n, finding) for n, finding in enumerate(record.findings, 1)],
    }


def _backend(record: Record, backend: BackendRecord) -> dict[str, Any]:
    return {
        "name": backend.name,
        "spec": backend.spec,
        "unavailable": backend.unavailable,
        "cases": backend.cases,
        "verdicts": record.judged(backend.name),
        "versions": dict(backend.versions),
        "levels": {
            str(standing.level): {
                "verdict": word,
                "findings": standing.findings,
                "failures": standing.failures,
                "passing_cases": standing.passed,
                "known": standing.known,
                "not_looked_at": standing.not_looked_at,
            }
            for of, standing, word, _ in rows(record)
            if of is backend
        },
    }
