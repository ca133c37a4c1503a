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
        children: numbers of the processes that the candidate has started and that are alive.
    """

    names: tuple[str, ...] = ()
    watched: bool = True
    children: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Remaining:
    """End the candidate if it has not ended; what is left beside it? Answered by `Left`, as is its end."""


@dataclass(frozen=True, slots=True)
class Left:
    """The numbers and commands of the processes that were left beside a candidate; they are ended with it."""

    processes: tuple[tuple[int, str], ...] = ()
