"""A candidate that promises something else than its backend declares."""

from __future__ import annotations

from convcheck.execution.candidate import Candidate
from convcheck.execution.wrapping_candidate import WrappingCandidate
from convcheck.model.capabilities import Capabilities


class PromisingCandidate(WrappingCandidate):
    """Another candidate, with other capabilities: it is given the data that suit them.

    Args:
        candidate: it is called.
        capabilities: what stands in the place of its own.
    """

    def __init__(self, candidate: Candidate, capabilities: Capabilities) -> None:
        super().__init__(candidate)
        self._capabilities = capabilities

    @property
    def capabilities(self) -> Capabilities:
        """Those that were given."""
        return self._capabilities
