"""`convcheck replay --sanitize`: cases again under a sanitizer, and what it says about each call."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from convcheck.cli.availability import available
from convcheck.cli.output import say
from convcheck.execution import open_sanitized
from convcheck.judging.judge import judge_case
from convcheck.model.case import Case
from convcheck.model.sanitizers import Sanitizer
from convcheck.model.verdicts import FAILURES, JUDGED, Verdict
from convcheck.oracles.sanitizer import ORACLE, reported
from convcheck.report.tables import table

_HEADERS = ("case", "status", "clause", "reason")


def replay_sanitized(cases: Sequence[Case], specs: Sequence[str], sanitizer: Sanitizer, limit: float) -> bool:
    """Whether a sanitizer saw a call, on any backend, and reported nothing; what it says is shown.

    Args:
        cases: run in order in one process, which is replaced after a report.
        specs: the backends.
        sanitizer: which.
        limit: seconds that a call may take without it.

    Raises:
        UnavailableSanitizerError: it is not installed.
    """
    found: list[Verdict] = []
    for spec in specs:
        verdicts = _replayed(cases, spec, sanitizer, limit)
        found += [verdict for _, verdict in verdicts]
        rows = [[token, verdict.status, verdict.clauses[0], verdict.reason] for token, verdict in verdicts]
        say(f"{spec}\n{table(_HEADERS, rows, 'text')}\n")
    statuses = {verdict.status for verdict in found}
    if statuses.isdisjoint(JUDGED):
        say("nothing was judged")
    return not statuses.isdisjoint(JUDGED) and statuses.isdisjoint(FAILURES)


def _replayed(cases: Sequence[Case], spec: str, sanitizer: Sanitizer, limit: float) -> list[tuple[str, Verdict]]:
    with available(spec):
        opened = open_sanitized(spec, sanitizer, limit=limit)
    with closing(opened) as candidate:
        found = [(case.token, v) for case in cases for v in judge_case(candidate, case, (ORACLE,))[0]]
        late = candidate.finish()
    return [*found, *([("as the process ended", reported(sanitizer, late))] if late else [])]
