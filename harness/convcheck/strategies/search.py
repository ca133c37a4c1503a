"""Directed search: cases next to one with a large margin, among which a larger one is likely.

Blocks are generated ahead of judging, so `hypothesis.target` cannot see their margins. It works in a test
of one's own over `cases`; a campaign can follow its largest margins with this function instead, which is
as deterministic as its blocks: the same case and choices give the same neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from convcheck.case import Case, Regime
from convcheck.strategies.draws import Draw
from convcheck.strategies.layers import MEDIUM_BUDGET

_ROUNDING: Final[tuple[Regime, ...]] = ("reals", "positive", "cancelling", "wide")
"""The data whose rounding errors a margin measures."""


def neighbours_worth_trying(case: Case, draw: Draw) -> tuple[Case, ...]:
    """Legal cases that differ in one thing which moves the error: data, length of the sums, path; shuffled.

    Longer sums collect more error, and their bound grows with the root of their length at most; other data
    weigh cancellation against accumulation; another layout may take another kernel of the candidate.

    Args:
        case: the case to start from.
        draw: the choices.

    Returns:
        Distinct cases other than `case`, each within the budget of a medium case; none for an illegal one.
    """
    if case.violation is not None:
        return ()
    found = [near for near in dict.fromkeys(_neighbours(case, draw)) if near != case and _affordable(near)]
    return tuple(found.pop(draw(0, len(found) - 1)) for _ in range(len(found)))


def _neighbours(case: Case, draw: Draw) -> Iterator[Case]:
    for _ in range(2):
        yield replace(case, seed=draw(0, 2**32 - 1))
    for regime in _ROUNDING:
        yield replace(case, regime=regime)
    for layout in ("contiguous", case.layouts[draw(0, 2)]):
        yield replace(case, layouts=(layout, layout, layout))
    params, shape = case.params, case.input_shape
    per_group = params.in_channels // params.groups
    for more in (2 * per_group, per_group + draw(1, 8)):
        channels = params.groups * more
        arguments = replace(case.arguments, in_channels=channels)
        yield replace(case, arguments=arguments, input_shape=(*shape[:-3], channels, *shape[-2:]))
    for outputs in (2 * params.out_channels, params.groups * draw(1, 8)):
        yield replace(case, arguments=replace(case.arguments, out_channels=outputs))
    if not case.unbatched:
        yield replace(case, input_shape=(2 * shape[0] + draw(0, 1), *shape[1:]))
    for axis in (-2, -1):
        sizes = list(shape)
        sizes[axis] += draw(1, sizes[axis] + 1)
        yield replace(case, input_shape=tuple(sizes))
    for kernel in _larger(params.kernel_size):
        yield replace(case, arguments=replace(case.arguments, kernel_size=kernel))
    yield replace(case, arguments=replace(case.arguments, bias=not params.bias))


def _larger(kernel: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    return (kernel[0] + 1, kernel[1]), (kernel[0], kernel[1] + 1)


def _affordable(case: Case) -> bool:
    return case.violation is None and case.params.multiply_adds(case.input_shape) <= MEDIUM_BUDGET
