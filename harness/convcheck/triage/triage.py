"""What triage comes to: the findings, which failures each accounts for, and those that nobody looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from convcheck.judging.tally import Failure
from convcheck.model.record import Finding


@dataclass(frozen=True, slots=True)
class Triage:
    """The findings of a candidate and where its failures went: each failure is in one place.

    Attributes:
        findings: one for each distinct cause.
        accounted: the failures of each finding, in their order.
        not_looked_at: those of which nobody knows to which finding they belong, if to any.
        ended_by: what ended it before its time: an interrupt, or that the candidate could not be called any more.
    """

    findings: tuple[Finding, ...]
    accounted: tuple[Sequence[Failure], ...]
    not_looked_at: tuple[Failure, ...] = ()
    ended_by: BaseException | None = None

    @property
    def interrupted(self) -> bool:
        """Whether whoever waits for it had enough."""
        return isinstance(self.ended_by, KeyboardInterrupt)


def together(*parts: Triage) -> Triage:
    """What was found of some failures and of others."""
    return Triage(
        findings=tuple(finding for part in parts for finding in part.findings),
        accounted=tuple(failures for part in parts for failures in part.accounted),
        not_looked_at=tuple(failure for part in parts for failure in part.not_looked_at),
        ended_by=next((part.ended_by for part in parts if part.ended_by is not None), None),
    )
