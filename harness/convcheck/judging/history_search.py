"""What a search for histories that fail has come to, and what of it is worth calling."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from convcheck.execution import Candidate
from convcheck.judging.judge import Excluded, nothing_excluded
from convcheck.judging.playing import Ask
from convcheck.model.history import History
from convcheck.model.verdicts import Status, Verdict

MOST_CALLS: Final = 4000
"""Calls after the first failure: what Hypothesis may spend on shrinking. Seconds for a small kernel."""


class FailingHistoryError(Exception):
    """A history whose last step is wrong because of those before it: what tells Hypothesis to shrink.

    Args:
        history: the steps.
        verdict: on the last.
    """

    def __init__(self, history: History, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.history = history
        self.verdict = verdict


@dataclass(slots=True)
class Search:
    """What a run of histories has come to so far.

    Attributes:
        candidate: all histories are put to it.
        ask: makes the calls.
        dtypes: restricts the dtypes of the candidate; None for all.
        excluded: failures that are known: they end a history, and no more.
        ran: histories of two calls or more, up to the first that failed.
        passed: those in which nothing was wrong.
        vacuous: those that have nothing to be judged by.
        ended: those that ended with a call that is wrong by itself, or in a way that is known.
        failures: each history that failed, with its verdict, in the order of the run.
        calls_left: that shrinking may still take.
        error: that stopped the candidate; nothing is called after it.
    """

    candidate: Candidate
    ask: Ask
    dtypes: tuple[str, ...] | None = None
    excluded: Excluded = nothing_excluded
    ran: int = 0
    passed: int = 0
    vacuous: int = 0
    ended: int = 0
    failures: dict[History, Verdict] = field(default_factory=dict)
    calls_left: int = MOST_CALLS
    error: Exception | None = None

    @property
    def hung(self) -> tuple[History, ...]:
        """The histories whose last call did not come back: each is called once, since a call takes the whole limit."""
        return tuple(history for history, verdict in self.failures.items() if verdict.status is Status.HUNG)

    def leads_somewhere(self, history: History) -> bool:
        """Whether a history is called at all.

        After a failure nothing longer is, and once the calls are spent only what is known to fail, and its start:
        Hypothesis repeats the smallest history that it has found, which has to fail again.
        """
        if self.error is not None:
            return False
        if not self.failures or any(known[: len(history)] == history for known in self.failures):
            return True
        return self.calls_left > 0 and not self.hung and len(history) <= min(map(len, self.failures))
