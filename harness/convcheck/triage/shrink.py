"""Shrinking: the smallest case that still fails in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from convcheck.model.case import Case, Layouts
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.params import Arguments, Conv2dParams

MOST_TRIALS: Final = 320
"""Cases that are tried for one smallest case, a bound on the calls."""

_CONTIGUOUS: Final[Layouts] = ("contiguous", "contiguous", "contiguous")
_DEFAULTS: Final = (("padding_mode", "zeros"), ("dilation", 1), ("groups", 1), ("stride", 1), ("padding", 0))
_LEAST: Final = (("kernel_size", 1), ("dilation", 1), ("stride", 1), ("padding", 0))


def shrink(case: Case, still_fails: Callable[[Case], bool], most: int = MOST_TRIALS) -> Case:
    """The simplest case found by taking any simpler neighbour that still fails, until none does.

    Args:
        case: fails.
        still_fails: whether a case fails in the same way.
        most: cases that are tried.

    Returns:
        A case none of whose `simpler` neighbours fails, unless `most` ran out.
    """
    tried = {case.token}
    progress = True
    while progress:
        progress = False
        for neighbour in simpler(case):
            if neighbour.token in tried:
                continue
            if len(tried) > most:
                return case
            tried.add(neighbour.token)
            if still_fails(neighbour):
                case, progress = neighbour, True
                break
    return case


def simpler(case: Case) -> Iterator[Case]:
    """Neighbours of `case` that are simpler in one way and of the same legality, most rewarding first.

    Each parameter goes back to its default, each size down to its least and by powers of two, which
    find a threshold in logarithmically many steps and keep what depends on a remainder.
    """
    kind = type(case.violation)
    for neighbour in _neighbours(case):
        if neighbour != case and type(neighbour.violation) is kind:
            yield neighbour


def _neighbours(case: Case) -> Iterator[Case]:
    yield from _plainer_data(case)
    yield from _defaults(case)
    yield from _smaller_shapes(case)
    yield from _smaller_arguments(case)
    yield from _sparser(case)


def _plainer_data(case: Case) -> Iterator[Case]:
    yield replace(case, layouts=_CONTIGUOUS, layout_bias="contiguous")
    for at in range(3):
        layouts: Any = (*case.layouts[:at], "contiguous", *case.layouts[at + 1 :])
        yield replace(case, layouts=layouts)
    yield replace(case, layout_bias="contiguous")
    yield replace(case, placement="aligned")
    yield replace(case, regime="reals")
    if case.dtype != "float32":
        yield replace(case, dtype="float32")
    if case.dtype not in ("float32", "float64"):
        yield replace(case, dtype="float64")


def _defaults(case: Case) -> Iterator[Case]:
    spelled = case.arguments
    for name, default in _DEFAULTS:
        if getattr(spelled, name) != default:
            yield from _refit(case, replace(spelled, **{name: default}))
    if spelled.bias is True:
        yield replace(case, arguments=replace(spelled, bias=False))
    if len(case.input_shape) == 3:
        yield replace(case, input_shape=(1, *case.input_shape))
    elif case.batch == 0:
        yield replace(case, input_shape=(1, *case.input_shape[1:]))


def _smaller_arguments(case: Case) -> Iterator[Case]:
    spelled = case.arguments
    if type(spelled.groups) is int:
        for groups in _down(spelled.groups, 2):
            yield from _refit(case, replace(spelled, groups=groups))
    for name, least in _LEAST:
        for value in _smaller_pairs(getattr(spelled, name), least):
            yield from _refit(case, replace(spelled, **{name: value}))


def _smaller_pairs(value: Any, least: int) -> Iterator[Any]:
    pair = value if isinstance(value, tuple) else (value, value)
    if len(pair) != 2 or not all(type(v) is int for v in pair):
        return
    if pair[0] == pair[1] and isinstance(value, tuple):
        yield pair[0]
    if min(pair) > least:
        yield least
    for smaller in _down(pair[0], least):
        yield _spelled(smaller, pair[1])
    for smaller in _down(pair[1], least):
        yield _spelled(pair[0], smaller)
    if pair[0] == pair[1]:
        yield from _down(pair[0], least)


def _spelled(height: int, width: int) -> int | tuple[int, int]:
    return height if height == width else (height, width)


def _down(value: int, least: int) -> Iterator[int]:
    """`least`, then `value` less powers of two, the largest first."""
    if value <= least:
        return
    yield least
    for exponent in reversed(range((value - least).bit_length())):
        smaller = value - 2**exponent
        if smaller > least:
            yield smaller


def _refit(case: Case, arguments: Arguments) -> Iterator[Case]:
    """`arguments` on the input as it is; with the output as it was; with as many channels for each group."""
    yield replace(case, arguments=arguments)
    groups, before = arguments.groups, case.arguments.groups
    if groups != before and type(groups) is int and type(before) is int and 0 < groups < before:
        into, out = arguments.in_channels, arguments.out_channels
        if type(into) is int and type(out) is int and into % before == out % before == 0:
            yield _with_channels(replace(case, arguments=arguments), into // before * groups, out // before * groups)
    elif case.violation is None:
        yield from _with_output_kept(case, arguments)


def _with_output_kept(case: Case, arguments: Arguments) -> Iterator[Case]:
    """What depends on the output's size stays as it is where a parameter no longer needs as much input."""
    try:
        params = Conv2dParams.of(arguments)
    except ConvcheckError:
        return
    size = [
        (out - 1) * stride + extent - sum(pads)
        for out, stride, extent, pads in zip(
            case.output_shape[-2:], params.stride, params.extent, params.padding, strict=True
        )
    ]
    if all(1 <= new <= old for new, old in zip(size, case.input_shape[-2:], strict=True)):
        yield replace(case, arguments=arguments, input_shape=(*case.input_shape[:-2], *size))


def _with_channels(case: Case, into: int, out: int) -> Case:
    shape = (*case.input_shape[:-3], into, *case.input_shape[-2:])
    return replace(case, arguments=replace(case.arguments, in_channels=into, out_channels=out), input_shape=shape)


def _smaller_shapes(case: Case) -> Iterator[Case]:
    spelled, shape = case.arguments, case.input_shape
    least = _least_sizes(case)
    for axis in range(-2, 0):
        for size in _down(shape[axis], least[axis]):
            yield replace(case, input_shape=(*shape[:axis], size, *shape[axis:][1:]))
    if len(shape) == 4:
        for batch in _down(shape[0], 1):
            yield replace(case, input_shape=(batch, *shape[1:]))
    groups = spelled.groups if type(spelled.groups) is int and spelled.groups > 0 else 1
    into, out = spelled.in_channels // groups, spelled.out_channels // groups
    for less in _down(into, 1):
        yield _with_channels(case, less * groups, out * groups)
    for less in _down(out, 1):
        yield _with_channels(case, into * groups, less * groups)


def _least_sizes(case: Case) -> dict[int, int]:
    """The smallest height and width that the kernel fits into; 1 where the layer is illegal."""
    try:
        params = Conv2dParams.of(case.arguments)
    except ConvcheckError:
        return {-2: 1, -1: 1}
    return {axis: max(1, params.extent[axis] - sum(params.padding[axis])) for axis in (-2, -1)}


def _sparser(case: Case) -> Iterator[Case]:
    for nonzeros in (1, 2, 4):
        if case.nonzeros is None or nonzeros < case.nonzeros:
            yield replace(case, nonzeros=nonzeros)
    for seed in (0, 1, 2):
        if seed < case.seed:
            yield replace(case, seed=seed)
