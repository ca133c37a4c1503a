"""Free parameters: those of a shrunk case that do not matter, because any other value fails as well.

Each value of each number of a plain space is tried alone. Hypothesis' explain phase, which comes to the same, draws a
hundred values of every number, most of them again and again, and takes longer than the candidate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from convcheck.model.case import Case
from convcheck.strategies.plain import PlainSpace
from convcheck.triage.trials import Trials

_CHOICES: Final = (
    "entry",
    "dtype",
    "regime",
    "layout_x",
    "layout_weight",
    "layout_grad",
    "layout_bias",
    "placement",
    "mode",
    "padding",
)
_UP_TO: Final = {
    "dilation_h": 2, "dilation_w": 2, "groups": 2, "stride_h": 2, "stride_w": 2, "padding_h": 2, "padding_w": 2,
    "batch": 2, "in_per_group": 3, "out_per_group": 3, "kernel_h": 2, "kernel_w": 2, "spare_h": 3, "spare_w": 3,
    "bias": 1,
}  # fmt: skip
"""The greatest number that is tried of each field whose freedom is looked at: every value costs a trial."""

_WORDS: Final = {
    "dtype": ("dtype",),
    "values": ("regime",),
    "layout": ("layout_x", "layout_weight", "layout_grad", "layout_bias"),
    "placement": ("placement",),
    "padding_mode": ("mode",),
    "padding": ("padding", "padding_h", "padding_w"),
    "dilation": ("dilation_h", "dilation_w"),
    "stride": ("stride_h", "stride_w"),
    "kernel_size": ("kernel_h", "kernel_w"),
    "input size": ("spare_h", "spare_w"),
    "groups": ("groups",),
    "in_channels": ("in_per_group",),
    "out_channels": ("out_per_group",),
    "batch": ("batch",),
    "bias": ("bias",),
    "entry": ("entry",),
}
"""What a reader calls some fields, if all of them that could vary are free."""

_ALONE: Final = {"regime": "values", "mode": "padding_mode", "spare_h": "height", "spare_w": "width", "padding": ""}
"""What a reader calls a field that is free where others of its quantity are not, if not by its name."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What is known of a case when its parameters have been looked at.

    Attributes:
        case: the case, or a simpler one that it met on the way.
        free: parameters any other value of which fails as well, each varied alone, as far as it was tried.
    """

    case: Case
    free: tuple[str, ...] = ()


def explain(case: Case, trials: Trials, space: PlainSpace) -> Explained:
    """Which parameters of a shrunk case do not matter.

    Each of some 170 values is tried alone, the simplest first. A simpler case that fails is explained instead. Where
    trials run out, parameters that were not looked at are not free. That several may vary at once is not looked at,
    because it takes a hundred trials more.

    Args:
        case: fails, and is as small as it gets.
        trials: whether cases still fail. What they raise comes out as it is.
        space: of the candidate.
    """
    numbers = space.numbers(case)
    if numbers is None:
        return Explained(case)
    bounds = _bounds(space, numbers)
    for field in bounds:
        simpler = {**numbers, field: 0}
        if trials.fails(space.case(simpler)):
            numbers = simpler

    def fails(field: str, value: int) -> bool:
        return trials.fails(space.case({**numbers, field: value}))

    free = {field for field, bound in bounds.items() if all(fails(field, value) for value in range(bound + 1))}
    return Explained(space.case(numbers), _words(free, bounds))


def _bounds(space: PlainSpace, numbers: Mapping[str, int]) -> dict[str, int]:
    """The greatest number of each field that is varied: of those that make a difference to the case."""
    limits, case = space.limits, space.case(numbers)
    most = {field: limits[field] for field in _CHOICES}
    most |= {field: min(limits[field], up_to) for field, up_to in _UP_TO.items()}
    return {
        field: max(number, most[field])
        for field, number in numbers.items()
        if field in most and any(space.case({**numbers, field: other}) != case for other in range(most[field] + 1))
    }


def _words(free: set[str], varied: Mapping[str, int]) -> tuple[str, ...]:
    found = []
    for word, fields in _WORDS.items():
        could = [field for field in fields if field in varied]
        if could and free.issuperset(could):
            found.append(word)
        else:
            found += [_ALONE.get(field, field) for field in could if field in free]
    return tuple(filter(None, found))
