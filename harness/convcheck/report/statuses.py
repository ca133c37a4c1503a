"""How many verdicts had each status, and why nothing was judged where nothing was: one row for each reason."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from convcheck.model.record import Count, Record
from convcheck.model.verdicts import FAILURES, Status
from convcheck.report.tables import counted

STATUSES_HEADERS: Final = ("backend", "status", "reason", "verdicts", "clauses")

_IN_FINDINGS: Final = FAILURES | {Status.ELSEWHERE}
_USUAL: Final = (Status.PASS, Status.ELSEWHERE)
_FEW: Final = 6


def statuses_rows(record: Record) -> list[tuple[object, ...]]:
    """A row for each backend, status and reason, with the clauses that it is about: a reason stands for many."""
    groups: defaultdict[tuple[str, str, str], list[Count]] = defaultdict(list)
    for count in record.counts:
        # a failure's reason is in its finding; a refusal to judge is explained here
        reason = "" if count.status in _IN_FINDINGS else count.reason
        groups[count.backend, str(count.status), reason].append(count)
    places = {backend.name: place for place, backend in enumerate(record.backends)}
    order = sorted(groups, key=lambda key: (places.get(key[0], len(places)), *key))
    return [(*key, sum(c.cases for c in groups[key]), _clauses(key[1], groups[key])) for key in order]


def _clauses(status: str, counts: list[Count]) -> str:
    some = [clause for clause in dict.fromkeys(count.clause for count in counts) if clause]
    if status in _USUAL:
        return counted(len(some), "clause")
    if len(some) <= _FEW:
        return ", ".join(some)
    return f"{', '.join(some[: _FEW - 1])} and {len(some) - _FEW + 1} more"
