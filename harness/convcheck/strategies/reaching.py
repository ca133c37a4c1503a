"""Cases that reach far: published layers as published, and thin ones that cross thresholds."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Final

from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case, Layout
from convcheck.model.ladder import Ladder
from convcheck.strategies.draws import Draw, pick
from convcheck.strategies.layers import Plan, spell
from convcheck.strategies.realistic import as_published, published
from convcheck.strategies.thin import DECKS, deck

DRAWN: Final = 1_000
"""Numbers that `reaching` draws from: some ways to put the targets together, and some layers of each."""

_WAY: Final = DRAWN // DECKS

_OF_PUBLISHED: Final[tuple[Layout, ...]] = ("contiguous", "contiguous", "contiguous", "channels_last")
_OF_THIN: Final[tuple[Layout, ...]] = (
    "contiguous",
    "contiguous",
    "contiguous",
    "channels_last",
    "sliced",
    "transposed",
)


@lru_cache(maxsize=16)
def reached(
    capabilities: Capabilities, dtypes: tuple[str, ...], ladder: Ladder, number: int
) -> tuple[tuple[Plan, ...], tuple[Plan, ...]]:
    """Thin layers and published ones, as far as a backend with these capabilities takes them.

    Args:
        capabilities: of the backend.
        dtypes: to be drawn; published layers come in float32, in which they were published, or not at all.
        ladder: how far they reach.
        number: of the way in which targets are put together, below `DECKS`.
    """
    thin = deck(ladder, number, groups=capabilities.groups, dilation=capabilities.dilation)
    whole = [layer for layer in map(as_published, published(ladder)) if "float32" in dtypes]
    fit = tuple(plan for plan in thin if plan.supported(capabilities)) or thin[:1]
    return fit, tuple(plan for plan in whole if plan.supported(capabilities))


def openings(
    capabilities: Capabilities, dtypes: tuple[str, ...], ladder: Ladder, number: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The numbers that `reaching` draws for each thin layer and each published one of one way, in order."""
    thin, whole = (len(plans) for plans in reached(capabilities, dtypes, ladder, number))
    first = number * _WAY
    return tuple(range(first, first + thin)), tuple(range(first + thin, first + thin + whole))


def reaching(draw: Draw, capabilities: Capabilities, dtypes: tuple[str, ...], ladder: Ladder) -> Case:
    """A case of a layer that reaches far: published as published, or thin.

    Args:
        draw: the choices.
        capabilities: what is drawn at all.
        dtypes: to draw from.
        ladder: how far.
    """
    number, at = divmod(draw(0, DRAWN - 1), _WAY)
    thin, whole = reached(capabilities, dtypes, ladder, number)
    at %= len(thin) + len(whole)
    plan = (*thin, *whole)[at]
    if at >= len(thin):
        dtype = "float32"
        layout = pick(draw, tuple(x for x in _OF_PUBLISHED if x in capabilities.layouts) or capabilities.layouts[:1])
    else:
        dtype, layout = pick(draw, dtypes), pick(draw, tuple(x for x in _OF_THIN if x in capabilities.layouts))
        mode = pick(draw, capabilities.padding_modes)
        bias = draw(0, 3) != 3
        changed = replace(plan, mode=mode, bias=bias)
        plan = changed if Case(*spell(lambda low, _: low, changed)).violation is None else replace(plan, bias=bias)
    seed = draw(0, 99)
    return Case(*spell(draw, plan), dtype, layouts=(layout, layout, layout), seed=seed)
