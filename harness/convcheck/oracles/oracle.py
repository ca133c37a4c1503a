"""What an oracle is: a judge of trials, and the calls that it needs beyond those of every case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from convcheck.model.calls import Call
from convcheck.model.verdicts import Verdict
from convcheck.oracles.support.trial import Trial


def no_calls(_: Trial) -> Mapping[str, Call]:
    """The calls of an oracle that judges what every case calls anyway."""
    return {}


@dataclass(frozen=True, slots=True)
class Oracle:
    """A named judge of trials.

    Attributes:
        name: as verdicts and reports show it.
        judge: from a trial whose calls have been made to verdicts.
        calls: the calls that it needs besides `Trial.calls`, by a name of its own; `Trial.outcome` finds
            their outcomes. Only legal cases that enter by the function are asked.
        every: it is asked about one case in so many, because its calls cost time.
    """

    name: str
    judge: Callable[[Trial], Iterable[Verdict]]
    calls: Callable[[Trial], Mapping[str, Call]] = no_calls
    every: int = 1
