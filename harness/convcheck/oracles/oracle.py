"""What an oracle is: a judge of trials, with everything that the rest of convcheck has to know about it.

No other package keeps a table of oracles: which calls one needs, when its failures are looked at, what they follow
from and how a script repeats them are attributes of `Oracle`. A new one is a file here and a line
in `convcheck.oracles`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any, Final

from numpy.typing import NDArray

from convcheck.model.calls import Call
from convcheck.model.case import Entry
from convcheck.model.levels import Level
from convcheck.model.profiles import Quantity
from convcheck.model.verdicts import Verdict
from convcheck.oracles.support.trial import CallKey, Trial

Array = NDArray[Any]

CALL: Final = "call"
"""The kind of failures in which no result came back; also the quantity of verdicts on a call as a whole."""

RESULT: Final = "result"
"""The kind of failures in which a result is wrong whatever the precision: its shape, or its value on integers."""

PRECISION: Final = "precision"
"""The kind of failures in which a result is too far away on reals."""


USUAL_DRAWS: Final = 2
"""Draws of the values that have to pass before a case counts as passing: wrong terms cancel now and then."""


class AtScale(Enum):
    """How an oracle judges a large layer, which the reference would take seconds for.

    NOT_ASKED: not at all. WHOLE: as any other, since it needs nothing of the reference that grows with the channels.
    SLICES: some channels, which are a layer of their own (`convcheck.oracles.support.slices`).
    """

    NOT_ASKED = "not asked"
    WHOLE = "whole"
    SLICES = "slices"


class Priority(IntEnum):
    """When failures are looked at: what others may follow from comes before them."""

    OUTPUT = 1  # a wrong output has more consequences than anything else
    RESULTS = 2
    PRECISION = 3  # a wrong index shows on integers wherever it shows on reals
    IMPRECISE_RESULTS = 4  # integers that were too long for what is left of the precision
    SPECIAL_VALUES = 5
    MODULE = 6
    OWN_CALLS = 7  # data and layers of an oracle's own: whatever they show, plain calls may have shown


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """What is due of one result of one call.

    Attributes:
        key: of the call.
        value: the right result.
        tolerance: how far from it each element may be; infinite where it is not judged.
    """

    key: CallKey
    value: Array
    tolerance: Array


def no_calls(_: Trial) -> Mapping[str, Call]:
    """The calls of an oracle that judges what every case calls anyway."""
    return {}


def no_expectation(_trial: Trial, _quantity: Quantity) -> Expectation | None:
    """The expectation of an oracle that does not compare one result with what is due."""
    return None


@dataclass(frozen=True, slots=True)
class Oracle:
    """A judge of trials.

    Attributes:
        name: as verdicts and reports show it.
        judge: from a trial whose calls have been made to verdicts.
        calls: the calls that it needs besides `Trial.calls`, by a name of its own; `Trial.outcome` finds
            their outcomes. Only legal cases are asked.
        every: it is asked about one case in so many, because its calls cost time.
        entry: of the cases whose calls these are.
        judges_illegal: whether it has something to say about illegal cases.
        level: what it judges, on legal cases; a verdict of its own may say otherwise (`Verdict.level`).
        kind: of its failures in one of the four quantities; failures of one kind may have one cause. By default
            it is a kind of its own, which has the oracle's name; so are its failures in other quantities.
        priority: when its failures are looked at.
        draws: how many draws of the values have to pass before a case counts as passing; more where only a few
            values can show a failure.
        relational: whether it relates outputs of the candidate to one another, so that it fails wherever one of
            them is wrong.
        of_state: whether it looks for state in the calls of one case.
        redundant: whether its failure says nothing new where anything else fails in the same case.
        explains_refusals: whether what it finds wrong in one call may be why a later call of the case raises.
        wraps_output: whether what it judges contains an output, so that it is wrong where outputs are.
        repeats_kinds: the kinds of failures that its own calls repeat where they are made of a layer that fails so.
        at_scale: how it judges large layers.
        expectation: the one result that shows its failures, and what is due of it: from it follow where a
            failure is localized, and the script that repeats it. None where it compares no single result.
    """

    name: str
    judge: Callable[[Trial], Iterable[Verdict]]
    calls: Callable[[Trial], Mapping[str, Call]] = no_calls
    every: int = 1
    entry: Entry = "function"
    judges_illegal: bool = False
    level: Level = Level.COMPUTES
    kind: str = ""
    priority: Priority = Priority.RESULTS
    draws: int = USUAL_DRAWS
    relational: bool = False
    of_state: bool = False
    redundant: bool = False
    explains_refusals: bool = False
    wraps_output: bool = False
    repeats_kinds: tuple[str, ...] = (RESULT,)
    at_scale: AtScale = AtScale.NOT_ASKED
    expectation: Callable[[Trial, Quantity], Expectation | None] = no_expectation

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", self.kind or self.name)

    @property
    def has_own_calls(self) -> bool:
        """Whether it calls the candidate besides the calls of every case."""
        return self.calls is not no_calls

    @property
    def compares_values(self) -> bool:
        """Whether a pass says that the values of a result are right, and not its shape only."""
        return self.expectation is not no_expectation
