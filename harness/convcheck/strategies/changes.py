"""What becomes of a case by one change: each argument, size, dtype and layout by itself, and the same sizes otherwise.

A cache goes by some of what a result depends on, and is wrong for what it overlooks. Two cases that differ in one thing
show that, whatever else it goes by; those that trade one thing for another, so that shapes of tensors, of padded images
or of results stay what they are, show a cache that goes by these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from math import gcd
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from convcheck.model.capabilities import Capabilities
from convcheck.model.case import LAYOUTS, Case
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.params import PADDING_MODES, Pair

Change: TypeAlias = Callable[[Case, Capabilities], Iterator[Case]]
"""The ways to make one change, the smallest first; not all of them are legal."""

_REPEATING: Final = ("expanded", "broadcast")
"""Layouts in which values are equal: others hold other contents, which would be a second change."""

_STEPS: Final = (1, -1, 2)
_STRIDES: Final = (1, 2, 3)
_PADDINGS: Final = (0, 1, 2, 3)


def changes(case: Case, capabilities: Capabilities) -> dict[str, Case]:
    """The case after each change that leaves it legal and supported, by what was changed.

    Args:
        case: a legal call of the function.
        capabilities: what a candidate supports.
    """
    found = {name: _first(case, capabilities, change) for name, change in CHANGES.items()}
    return {name: other for name, other in found.items() if other is not None}


def _first(case: Case, capabilities: Capabilities, change: Change) -> Case | None:
    return next((other for other in change(case, capabilities) if _allowed(other, case, capabilities)), None)


def _allowed(other: Case, case: Case, capabilities: Capabilities) -> bool:
    return other != case and 0 not in other.input_shape and other.is_legal_call and not capabilities.unsupported(other)


def _spelled(case: Case, **arguments: Any) -> Case:
    return replace(case, arguments=replace(case.arguments, **arguments))


def _stepped(name: str, axis: int, least: int) -> Change:
    """A pair of the layer, larger or smaller along one axis."""

    def change(case: Case, _: Capabilities) -> Iterator[Case]:
        for step in _STEPS:
            pair = list(_pair(case, name))
            pair[axis] += step
            if pair[axis] >= least:
                yield _spelled(case, **{name: tuple(pair)})

    return change


def _exchanged(name: str) -> Change:
    """A pair of the layer the other way round."""

    def change(case: Case, _: Capabilities) -> Iterator[Case]:
        yield _spelled(case, **{name: _pair(case, name)[::-1]})

    return change


def _pair(case: Case, name: str) -> Pair:
    if name == "padding":
        (top, _), (left, _) = case.params.padding
        return top, left
    found: Pair = getattr(case.params, name)
    return found


def _resized(axis: int) -> Change:
    """An input larger or smaller along one axis, counted from the last."""

    def change(case: Case, _: Capabilities) -> Iterator[Case]:
        for step in _STEPS:
            shape = list(case.input_shape)
            if len(shape) >= -axis:
                shape[axis] += step
                if shape[axis] > 0:
                    yield replace(case, input_shape=tuple(shape))

    return change


def _on_its_side(case: Case, _: Capabilities) -> Iterator[Case]:
    *rest, height, width = case.input_shape
    yield replace(case, input_shape=(*rest, width, height))


def _same_number_of_pixels(case: Case, _: Capabilities) -> Iterator[Case]:
    *rest, height, width = case.input_shape
    for down in range(1, height * width + 1):
        if height * width % down == 0 and down not in (height, width):
            yield replace(case, input_shape=(*rest, down, height * width // down))


def _batched(case: Case, _: Capabilities) -> Iterator[Case]:
    if case.unbatched:
        yield replace(case, input_shape=(1, *case.input_shape))
    elif case.batch == 1:
        yield replace(case, input_shape=case.input_shape[1:])


def _more_channels(case: Case, _: Capabilities) -> Iterator[Case]:
    params, (*batch, _channels, height, width) = case.params, case.input_shape
    for step in _STEPS:
        channels = params.in_channels + step * params.groups
        if channels > 0:
            wider = _spelled(case, in_channels=channels)
            yield replace(wider, input_shape=(*batch, channels, height, width))


def _more_filters(case: Case, _: Capabilities) -> Iterator[Case]:
    for step in _STEPS:
        filters = case.params.out_channels + step * case.params.groups
        if filters > 0:
            yield _spelled(case, out_channels=filters)


def _channels_and_filters_exchanged(case: Case, _: Capabilities) -> Iterator[Case]:
    params, (*batch, _channels, height, width) = case.params, case.input_shape
    other = _spelled(case, in_channels=params.out_channels, out_channels=params.in_channels)
    yield replace(other, input_shape=(*batch, params.out_channels, height, width))


def _in_other_groups(case: Case, _: Capabilities) -> Iterator[Case]:
    channels = gcd(case.params.in_channels, case.params.out_channels)
    yield from (_spelled(case, groups=groups) for groups in range(1, channels + 1) if channels % groups == 0)


def _with_or_without_bias(case: Case, _: Capabilities) -> Iterator[Case]:
    yield _spelled(case, bias=not case.arguments.bias)


def _in_another_mode(case: Case, _: Capabilities) -> Iterator[Case]:
    if any(map(any, case.params.padding)):  # without padding a mode changes nothing
        at = PADDING_MODES.index(case.params.padding_mode)
        yield from (_spelled(case, padding_mode=mode) for mode in (*PADDING_MODES[at + 1 :], *PADDING_MODES[:at]))


def _in_another_dtype(case: Case, capabilities: Capabilities) -> Iterator[Case]:
    yield from (replace(case, dtype=dtype) for dtype in capabilities.dtypes)


def _laid_out(which: int) -> Change:
    """One of x, weight and grad_output laid out otherwise."""

    def change(case: Case, _: Capabilities) -> Iterator[Case]:
        for layout in ("transposed", *LAYOUTS):
            if layout not in _REPEATING:
                yield replace(case, layouts=(*case.layouts[:which], layout, *case.layouts[which + 1 :]))  # type: ignore[arg-type]

    return change


def _traded(case: Case, _: Capabilities) -> Iterator[Case]:
    """More padding and less of an image, or the other way round: the padded size is the same."""
    *rest, height, width = case.input_shape
    top, left = _pair(case, "padding")
    for down, across in ((1, 1), (-1, -1), (1, 0), (0, 1), (-1, 0), (0, -1)):
        shape = (*rest, height - 2 * down, width - 2 * across)
        if min(top + down, left + across) >= 0 and min(shape[-2:]) > 0:
            yield replace(_spelled(case, padding=(top + down, left + across)), input_shape=shape)


def _of_the_same_shapes(case: Case, _: Capabilities) -> Iterator[Case]:
    """Another stride, padding and dilation along one axis: every tensor has the shape that it has."""
    for axis, stride, padding, dilation in product((-2, -1), _STRIDES, _PADDINGS, _STRIDES):
        pairs = {name: list(_pair(case, name)) for name in ("stride", "padding", "dilation")}
        for name, value in (("stride", stride), ("padding", padding), ("dilation", dilation)):
            pairs[name][axis] = value
        other = _spelled(case, **{name: tuple(pair) for name, pair in pairs.items()})
        if any(tuple(pair) != _pair(case, name) for name, pair in pairs.items()) and _same_output(case, other):
            yield other


def _same_output(case: Case, other: Case) -> bool:
    try:
        return case.output_shape == other.output_shape
    except ConvcheckError:
        return False


CHANGES: Final = MappingProxyType[str, Change](
    {
        "another batch": _resized(-4),
        "another height": _resized(-2),
        "another width": _resized(-1),
        "an image on its side": _on_its_side,
        "as many pixels in other rows": _same_number_of_pixels,
        "a batch of one, or none": _batched,
        "other in_channels": _more_channels,
        "other out_channels": _more_filters,
        "channels and filters exchanged": _channels_and_filters_exchanged,
        "another kernel height": _stepped("kernel_size", 0, 1),
        "another kernel width": _stepped("kernel_size", 1, 1),
        "a kernel on its side": _exchanged("kernel_size"),
        "another stride down": _stepped("stride", 0, 1),
        "another stride across": _stepped("stride", 1, 1),
        "strides exchanged": _exchanged("stride"),
        "another padding above": _stepped("padding", 0, 0),
        "another padding at the left": _stepped("padding", 1, 0),
        "paddings exchanged": _exchanged("padding"),
        "another dilation down": _stepped("dilation", 0, 1),
        "another dilation across": _stepped("dilation", 1, 1),
        "dilations exchanged": _exchanged("dilation"),
        "other groups": _in_other_groups,
        "with or without bias": _with_or_without_bias,
        "another padding mode": _in_another_mode,
        "another dtype": _in_another_dtype,
        "another layout of x": _laid_out(0),
        "another layout of the weight": _laid_out(1),
        "another layout of grad_output": _laid_out(2),
        "the same padded size by other padding": _traded,
        "the same shapes by other geometry": _of_the_same_shapes,
    }
)
"""What can be changed, and the ways to do so."""
