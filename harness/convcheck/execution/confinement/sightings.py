"""What the judge asks whoever watches a candidate, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field

from convcheck.execution.confinement.walls import Walls


@dataclass(frozen=True, slots=True)
class Standing:
    """Which walls stand? Answered by `Standings`."""


@dataclass(frozen=True, slots=True)
class Standings:
    """The walls that stand."""

    walls: Walls = field(default_factory=Walls)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was called before the answer of a number? Answered by `Sighted`."""

    number: int


@dataclass(frozen=True, slots=True)
class Sighted:
    """The names of other people's convolutions that were called.

    Attributes:
        names: the latest first.
        watched: whether the trace holds the answer's number: if not, somebody has stopped it.
    """

    names: tuple[str, ...] = ()
    watched: bool = True
