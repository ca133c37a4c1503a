"""Shrinking: the smallest case that still fails in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from convcheck.case import Case
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.params import Arguments, Conv2dParams

MOST_TRIALS: Final = 400


def shrink(case: Case, still_fails: Callable[[Case], bool], most: int = MOST_TRIALS) -> Case:
    """The simplest case found by taking any simpler neighbour that still fails, until none does."""
    tried: set[str] = {case.token}
    progress = True
    while progress:
        progress = False
        for candidate in simpler(case):
            if candidate.token in tried:
                continue
            if len(tried) > most:
                return case
            tried.add(candidate.token)
            if still_fails(candidate):
                case, progress = candidate, True
                break
    return case


def simpler(case: Case) -> Iterator[Case]:
    """Neighbours of `case` that are simpler in one way and of the same legality, most rewarding first."""
    kind = type(case.violation)
    for candidate in _neighbours(case):
        if candidate != case and type(candidate.violation) is kind:
            yield candidate


def _neighbours(case: Case) -> Iterator[Case]:
    """Parameters back to their defaults first, then smaller sizes, then sparser data."""
    spelled = case.arguments
    contiguous: Any = ("contiguous",) * 3
    yield replace(case, layouts=contiguous)
    for at in range(3):
        layouts: Any = (*case.layouts[:at], "contiguous", *case.layouts[at + 1 :])
        yield replace(case, layouts=layouts)
    yield replace(case, regime="reals")
    for dtype in ("float32", "float64"):
        if case.dtype not in (dtype, "float32"):
            yield replace(case, dtype=dtype)
    for change in _argument_changes(spelled):
        yield from _refit(case, replace(spelled, **change))
    yield from _smaller_shapes(case)
    if case.nonzeros is None or case.nonzeros > 1:
        for nonzeros in (1, 2, 4):
            if case.nonzeros is None or nonzeros < case.nonzeros:
                yield replace(case, nonzeros=nonzeros)
    for seed in (0, 1, case.seed // 2):
        if seed < case.seed:
            yield replace(case, seed=seed)


def _argument_changes(spelled: Arguments) -> Iterator[dict[str, Any]]:
    for name, default in (
        ("padding_mode", "zeros"),
        ("dilation", 1),
        ("groups", 1),
        ("stride", 1),
        ("padding", 0),
    ):
        if getattr(spelled, name) != default:
            yield {name: default}
    if spelled.bias is True:
        yield {"bias": False}
    if isinstance(spelled.groups, int) and spelled.groups > 2:
        yield {"groups": 2}
    for name, least in (("dilation", 1), ("stride", 1), ("kernel_size", 1), ("padding", 0)):
        yield from _smaller_pairs(name, getattr(spelled, name), least)


def _smaller_pairs(name: str, value: Any, least: int) -> Iterator[dict[str, Any]]:
    if isinstance(value, str) or value is None:
        return
    pair = value if isinstance(value, tuple) else (value, value)
    if len(pair) != 2 or not all(type(v) is int for v in pair):
        return
    if pair[0] == pair[1] and isinstance(value, tuple):
        yield {name: pair[0]}
    both = [(least, least), *((max(least, pair[0] - step), max(least, pair[1] - step)) for step in (2, 1))]
    for changed in (
        *both,
        (least, pair[1]),
        (pair[0], least),
        (pair[0] - 1, pair[1]),
        (pair[0], pair[1] - 1),
    ):
        if changed != pair and min(changed) >= least:
            yield {name: changed[0] if changed[0] == changed[1] else changed}


def _refit(case: Case, arguments: Arguments) -> Iterator[Case]:
    """`arguments` on the input as it is and, where groups went, with the channels of one group."""
    yield replace(case, arguments=arguments)
    groups, before = arguments.groups, case.arguments.groups
    if type(groups) is int and type(before) is int and 0 < groups < before:
        into, out = arguments.in_channels, arguments.out_channels
        if type(into) is int and type(out) is int and into % before == out % before == 0:
            yield _with_channels(replace(case, arguments=arguments), into // before * groups, out // before * groups)


def _with_channels(case: Case, into: int, out: int) -> Case:
    shape = (*case.input_shape[:-3], into, *case.input_shape[-2:])
    return replace(case, arguments=replace(case.arguments, in_channels=into, out_channels=out), input_shape=shape)


def _smaller_shapes(case: Case) -> Iterator[Case]:
    shape = case.input_shape
    if len(shape) == 3:
        yield replace(case, input_shape=(1, *shape))
    spelled = case.arguments
    groups = spelled.groups if type(spelled.groups) is int and spelled.groups > 0 else 1
    into, out = spelled.in_channels // groups, spelled.out_channels // groups
    halves = ((into // 2, out), (into, out // 2), (into - 1, out), (into, out - 1))
    for less_in, less_out in ((1, 1), (1, out), (into, 1), *halves):
        if min(less_in, less_out) >= 1:
            yield _with_channels(case, less_in * groups, less_out * groups)
    least = _least_sizes(case)
    for axis in (0, -2, -1) if len(shape) == 4 else (-2, -1):
        floor = 1 if axis == 0 else least[axis]
        size = shape[axis]
        for smaller in dict.fromkeys((floor, floor + 1, size // 2, size - 2, size - 1)):
            if floor <= smaller < size:
                changed = list(shape)
                changed[axis] = smaller
                yield replace(case, input_shape=tuple(changed))


def _least_sizes(case: Case) -> dict[int, int]:
    """The smallest height and width that the kernel fits into; 1 where the layer is illegal."""
    try:
        params = Conv2dParams.of(case.arguments)
    except ConvcheckError:
        return {-2: 1, -1: 1}
    return {axis: max(1, params.extent[axis] - sum(params.padding[axis])) for axis in (-2, -1)}
