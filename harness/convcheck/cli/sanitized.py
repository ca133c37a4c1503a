"""`convcheck replay --sanitize`: cases again under a sanitizer, and what it says about each call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from convcheck.cli.availability import available
from convcheck.execution import open_sanitized
from convcheck.judging.judge import judge_case
from convcheck.model.case import Case
from convcheck.model.sanitizers import Sanitizer
from convcheck.model.verdicts import Verdict
from convcheck.oracles.sanitizer import ORACLE, reported
from convcheck.report.tables import table

_HEADERS = ("case", "status", "clause", "reason")


def replay_sanitized(
    cases: Sequence[Case], spec: str, sanitizer: Sanitizer, limit: float, show: Callable[[str], None]
) -> tuple[Sequence[Verdict], dict[str, Any]]:
    """What a sanitizer says about each call: the verdicts, and what machines read of it.

    Args:
        cases: run in order in one process, which is replaced after a report.
        spec: the backend.
        sanitizer: which.
        limit: seconds that a call may take without it.
        show: takes the same in words.

    Raises:
        UnavailableSanitizerError: it is not installed.
    """
    found = _replayed(cases, spec, sanitizer, limit)
    rows = [[token, verdict.status, verdict.clauses[0], verdict.reason] for token, verdict in found]
    show(f"{spec}\n{table(_HEADERS, rows, 'text')}\n")
    verdicts = [verdict for _, verdict in found]
    return verdicts, {"cases": [{"case": token, "verdicts": [verdict]} for token, verdict in found]}


def _replayed(cases: Sequence[Case], spec: str, sanitizer: Sanitizer, limit: float) -> list[tuple[str, Verdict]]:
    with available(spec):
        opened = open_sanitized(spec, sanitizer, limit=limit)
    with closing(opened) as candidate:
        found = [(case.token, v) for case in cases for v in judge_case(candidate, case, (ORACLE,))[0]]
        late = candidate.finish()
    return [*found, *([("as the process ended", reported(sanitizer, late))] if late else [])]
