"""A candidate without a past: it is fresh whenever calls are put to it."""

from __future__ import annotations

from collections.abc import Sequence

from convcheck.execution.wrapping_candidate import WrappingCandidate
from convcheck.model.calls import Call, Outcome


class RestartingCandidate(WrappingCandidate):
    """Another candidate, restarted before each of its turns, so that what it does depends on these calls alone."""

    def call(self, call: Call) -> Outcome:
        """Make one call on a fresh candidate."""
        return self.call_all((call,))[0]

    def call_all(self, calls: Sequence[Call]) -> list[Outcome]:
        """Make calls one after the other, the first on a fresh candidate."""
        self._candidate.restart()
        return self._candidate.call_all(calls)

    def call_at_once(self, threads: Sequence[Sequence[Call]]) -> Sequence[Sequence[Outcome]]:
        """Make the calls of several threads at the same time, on a fresh candidate."""
        self._candidate.restart()
        return self._candidate.call_at_once(threads)

    def restart(self) -> None:
        """Every turn begins with one."""
