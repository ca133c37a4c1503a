"""The seam between judging and running: what a judge sees of a candidate, wherever it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from convcheck.model.calls import Call, Outcome
from convcheck.model.capabilities import Capabilities
from convcheck.model.guarantees import Guarantee


class Candidate(Protocol):
    """A backend that answers calls."""

    @property
    def name(self) -> str:
        """The backend's name."""

    @property
    def capabilities(self) -> Capabilities:
        """What it says it supports."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Its versions and settings."""

    @property
    def guarantees(self) -> tuple[Guarantee, ...]:
        """What is guaranteed of it, where it is not trusted."""

    def call(self, call: Call) -> Outcome:
        """Make one call. Whatever the candidate does becomes an outcome; nothing is raised."""

    def call_all(self, calls: Sequence[Call]) -> list[Outcome]:
        """Make calls one after the other; an outcome for each."""

    def call_at_once(self, threads: Sequence[Sequence[Call]]) -> Sequence[Sequence[Outcome]]:
        """Make the calls of several threads, each its own one after the other; all start at the same time.

        Every call has tensors of its own. The outcomes of each thread's calls; a single one, and the same for all,
        where the process died or hung meanwhile.
        """

    def restart(self) -> None:
        """Forget all state: the next call meets a fresh candidate."""

    def close(self) -> None:
        """Release its resources."""
