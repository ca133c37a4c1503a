"""A candidate around another: whatever a subclass does not say itself is the other's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from convcheck.execution.candidate import Candidate
from convcheck.model.calls import Call, Outcome
from convcheck.model.capabilities import Capabilities
from convcheck.model.guarantees import Guarantee


class WrappingCandidate:
    """Another candidate, as it is.

    Args:
        candidate: it is called.
    """

    def __init__(self, candidate: Candidate) -> None:
        self._candidate = candidate

    @property
    def name(self) -> str:
        """The candidate's name."""
        return self._candidate.name

    @property
    def capabilities(self) -> Capabilities:
        """The candidate's."""
        return self._candidate.capabilities

    @property
    def versions(self) -> Mapping[str, str]:
        """The candidate's."""
        return self._candidate.versions

    @property
    def guarantees(self) -> tuple[Guarantee, ...]:
        """The candidate's."""
        return self._candidate.guarantees

    def call(self, call: Call) -> Outcome:
        """Make one call."""
        return self._candidate.call(call)

    def call_all(self, calls: Sequence[Call]) -> list[Outcome]:
        """Make calls one after the other."""
        return self._candidate.call_all(calls)

    def call_at_once(self, threads: Sequence[Sequence[Call]]) -> Sequence[Sequence[Outcome]]:
        """Make the calls of several threads at the same time."""
        return self._candidate.call_at_once(threads)

    def restart(self) -> None:
        """Restart the candidate."""
        self._candidate.restart()

    def close(self) -> None:
        """Release the candidate's resources."""
        self._candidate.close()
