"""A candidate that promises something else than its backend declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from convcheck.execution.candidate import Candidate
from convcheck.model.calls import Call, Outcome
from convcheck.model.capabilities import Capabilities


class PromisingCandidate:
    """Another candidate, with other capabilities: it is given the data that suit them.

    Args:
        candidate: it is called.
        capabilities: what stands in the place of its own.
    """

    def __init__(self, candidate: Candidate, capabilities: Capabilities) -> None:
        self._candidate = candidate
        self._capabilities = capabilities

    @property
    def name(self) -> str:
        """The candidate's name."""
        return self._candidate.name

    @property
    def capabilities(self) -> Capabilities:
        """Those that were given."""
        return self._capabilities

    @property
    def versions(self) -> Mapping[str, str]:
        """The candidate's."""
        return self._candidate.versions

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
