"""`convcheck.replay`: given cases, or the calls of a history, judged again by one line of a program.

The judge is imported by the call, as in `convcheck.checking.checking`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from convcheck.checking.candidates import CheckError, opened_as
from convcheck.model.verdicts import FAILURES, JUDGED, Verdict

_HEADERS = ("oracle", "quantity", "status", "clause", "times", "reason", "worst element")


@dataclass(frozen=True, repr=False)
class Replayed:
    """What is said about calls that were made again; its text is the table of that.

    Attributes:
        verdicts: in the order in which they were given.
    """

    verdicts: tuple[Verdict, ...]

    @property
    def conforms(self) -> bool:
        """Whether something was judged, and nothing was wrong."""
        statuses = {verdict.status for verdict in self.verdicts}
        return not statuses.isdisjoint(JUDGED) and statuses.isdisjoint(FAILURES)

    def __str__(self) -> str:
        from convcheck.report.tables import table, worst  # noqa: PLC0415

        rows = Counter(
            (v.oracle, v.quantity, v.status, v.clauses[0], v.reason, worst(v.evidence)) for v in self.verdicts
        )
        return table(_HEADERS, [[*row[:4], times, *row[4:]] for row, times in rows.items()], "text")

    __repr__ = __str__


def replay(backend: Any, *cases: str, history: str = "", isolated: bool | None = None) -> Replayed:
    """Judge given cases, or the calls of a history, as `convcheck replay` does.

    Args:
        backend: as `convcheck.check` takes it.
        cases: tokens, run in order.
        history: calls in the same buffers instead, with spaces between them.
        isolated: as for `convcheck.check`.

    Raises:
        CheckError: there is neither a case nor a history, or both; or the backend does not support a step.
        TokenError, HistoryError: a text is none.
        RegistryError: the backend cannot be loaded.
        UnavailableError: its device or engine is absent.
    """
    if bool(cases) is bool(history):
        raise CheckError("expected cases, as tokens, or history='STEP STEP …', and not both")
    isolated = isinstance(backend, str) if isolated is None else isolated
    from convcheck.checking.again import verdicts_of  # noqa: PLC0415

    with opened_as(backend, isolated=isolated) as spec:
        return Replayed(verdicts_of(spec, cases, history, in_process=not isolated))
