"""The seam between judging and running: what a judge sees of a candidate, wherever it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from convcheck.calls import Call, Outcome
from convcheck.capabilities import Capabilities


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

    def call(self, call: Call) -> Outcome:
        """Make one call. Whatever the candidate does becomes an outcome; nothing is raised."""

    def restart(self) -> None:
        """Forget all state: the next call meets a fresh candidate."""

    def close(self) -> None:
        """Release its resources."""
