"""What triage comes to: the findings, which failures each accounts for, and those that nobody looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from convcheck.judging.judge import Failure
from convcheck.model.record import Finding


@dataclass(frozen=True, slots=True)
class Triage:
    """The findings of a candidate and where its failures went: each failure is in one place.

    Attributes:
        findings: one for each distinct cause.
        accounted: the failures of each finding, in their order.
        not_looked_at: those of which nobody knows to which finding they belong, if to any.
    """

    findings: tuple[Finding, ...]
    accounted: tuple[Sequence[Failure], ...]
    not_looked_at: tuple[Failure, ...] = ()
