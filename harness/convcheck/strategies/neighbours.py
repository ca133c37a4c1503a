"""The next call of a history: a legal layer near another, in one respect unlike it, and the first layer of all.

A cache goes wrong between calls that are alike in what it looks at and differ in what it overlooks, so that one
thing is changed at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import gcd
from typing import Any, Final

from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.strategies.cases import free_case
from convcheck.strategies.draws import Draw, pick
from convcheck_reference.params import PADDING_MODES, Pair, Shape

SEEDS: Final = 9
"""The largest seed of a tensor in a history: few contents, so that some of them come back."""

MOST_MULTIPLY_ADDS: Final = 500_000
"""Of a neighbour's call: a history has twenty calls."""

_IN_PAIRS: Final = ("kernel_size", "stride", "padding", "dilation")
_KINDS: Final = ("small", "small", "small", "common")
_PAIRS: Final[tuple[Pair, ...]] = ((1, 1), (0, 1), (1, 0), (-1, -1), (0, -1), (-1, 0), (1, -1))
_RESIZED: Final[tuple[Shape, ...]] = (
    (0, 0, 1), (0, 1, 0), (0, 1, 1), (0, 0, -1), (0, -1, 0), (0, -1, -1), (1, 0, 0), (-1, 0, 0), (0, 5, 7),
)  # fmt: skip


def first_layer(draw: Draw, capabilities: Capabilities, dtypes: tuple[str, ...] | None = None) -> Case:
    """A legal case that enters by the function, with something in its input.

    Args:
        draw: where choices come from.
        capabilities: what is drawn at all.
        dtypes: restricts the dtypes further.
    """
    functions = replace(capabilities, module=False, empty_batch=False)
    case = free_case(draw, functions, dtypes, pick(draw, _KINDS))
    spelled = {name: _short(getattr(case.arguments, name)) for name in _IN_PAIRS}
    arguments = replace(case.arguments, **spelled)
    return replace(case, arguments=arguments, regime="reals", placement="aligned", seed=draw(0, SEEDS))


def traded(draw: Draw, capabilities: Capabilities, case: Case) -> Case:
    """The same padded image, more of it padding and less of it image, or the other way round."""
    *rest, height, width = case.input_shape
    (top, _), (left, _) = case.params.padding
    others = []
    for down, across in _PAIRS:
        padded = replace(case.arguments, padding=_short((top + down, left + across)))
        shape = (*rest, height - 2 * down, width - 2 * across)
        if min(top + down, left + across, *shape[-2:]) >= 0:
            others.append(replace(case, arguments=padded, input_shape=shape))
    return _one_of(draw, capabilities, case, others)


def resized(draw: Draw, capabilities: Capabilities, case: Case) -> Case:
    """The same layer on an image, or a batch, of another size, or on that image turned on its side."""
    *rest, height, width = case.input_shape
    shapes: list[Shape] = [(*rest, width, height)]
    for batch, down, across in _RESIZED:
        if not (batch and case.unbatched):
            first = [rest[0] + batch, *rest[1:]] if batch else rest
            shapes.append((*first, height + down, width + across))
    return _one_of(draw, capabilities, case, [replace(case, input_shape=shape) for shape in shapes[1:] + shapes[:1]])


def rearranged(draw: Draw, capabilities: Capabilities, case: Case, names: tuple[str, ...]) -> Case:
    """The same input in a layer of which exactly one of some arguments is another."""
    start = draw(0, len(names) - 1)
    for name in (*names[start:], *names[:start]):
        changed = [replace(case.arguments, **{name: value}) for value in _others(case, name)]
        found = _one_of(draw, capabilities, case, [replace(case, arguments=arguments) for arguments in changed])
        if found is not case:
            return found
    return case


def with_other_bias(case: Case) -> Case:
    """The same layer without its bias, or with one."""
    arguments = case.arguments
    return replace(case, arguments=replace(arguments, bias=not arguments.bias))


def _one_of(draw: Draw, capabilities: Capabilities, case: Case, others: list[Case]) -> Case:
    """One of the others that a backend has to handle; the case itself if it need not handle any."""
    allowed = [other for other in others if other != case and _allowed(other, capabilities)]
    return pick(draw, allowed) if allowed else case


def _allowed(case: Case, capabilities: Capabilities) -> bool:
    if 0 in case.input_shape or case.violation is not None or capabilities.unsupported(case) is not None:
        return False
    return case.multiply_adds <= MOST_MULTIPLY_ADDS


def _others(case: Case, name: str) -> Iterator[Any]:
    """Other values of an argument, legal or not."""
    params = case.params
    if name == "padding":
        (top, _), (left, _) = params.padding
        yield from _near((top, left), least=0)
        yield from ("same", "valid")
    elif name == "groups":
        channels = gcd(params.in_channels, params.out_channels)
        yield from (g for g in range(1, channels + 1) if channels % g == 0 and g != params.groups)
    elif name == "padding_mode":
        yield from (mode for mode in PADDING_MODES if mode != params.padding_mode)
    elif name == "out_channels":
        yield from (params.out_channels + params.groups, params.out_channels - params.groups)
    else:
        yield from _near(getattr(params, name), least=1)


def _near(pair: Pair, least: int) -> Iterator[Any]:
    for down, across in _PAIRS:
        near = pair[0] + down, pair[1] + across
        if min(near) >= least:
            yield _short(near)


def _short(value: Any) -> Any:
    """A pair as an int where it is one: a history is about calls, not about how they are spelled."""
    return value[0] if isinstance(value, tuple) and value[0] == value[1] else value
