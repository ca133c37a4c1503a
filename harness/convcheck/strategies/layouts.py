"""How the tensors of a case lie in memory: all in one layout, one of them alone in another, or each in its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from convcheck.model.case import BIAS_LAYOUTS, LAYOUTS, Layout, Layouts, Placement
from convcheck.strategies.draws import Draw, pick

_ORDERS: Final = tuple(layout for layout in LAYOUTS if layout.startswith("order-"))
_FAMILIES: Final[tuple[tuple[Layout, ...], ...]] = (
    *(("contiguous",),) * 4,
    *(("channels_last",),) * 3,
    ("sliced", "sliced+offset"),
    ("transposed",),
    ("reversed", "reversed_channels", "reversed_rows", "reversed_columns"),
    ("expanded",),
    ("offset",),
    ("odd_strides",),
    _ORDERS,
    ("channels_last+offset",),
    ("channel_slice", "channel_slice+offset", "channels_last_channel_slice", "channels_last_channel_slice+offset"),
    ("step", "step_channels", "step_rows", "step_columns"),
    ("expanded_channels", "expanded_rows", "expanded_columns", "expanded_pixels"),
)  # fmt: skip
"""Layouts that are alike, the plain ones several times: one of these is drawn, and then one of its layouts."""

_OF_GRADIENTS: Final[tuple[tuple[Layout, ...], ...]] = (("broadcast",), ("expanded_pixels",))
"""A gradient is the tensor that comes as one number, from the sum that is differentiated, or as one for each channel,
from a mean."""

_COMMON_ORDERS: Final = (
    "order-1023",
    "order-1230",
    "order-2013",
    "order-2301",
    "order-2310",
    "order-3012",
    "order-3210",
)
_TIMES: Final = {"contiguous": 36, "channels_last": 6, **dict.fromkeys(_COMMON_ORDERS, 1)}
_TIMES_OF_OTHERS: Final = 2


class Placed(NamedTuple):
    """What a case says of memory; the names are those of its attributes."""

    layouts: Layouts
    layout_bias: Layout
    placement: Placement


def in_memory(placed: Placed, *, bias: bool) -> dict[str, Any]:
    """The attributes of a case that say so; of a layer without a bias none of it."""
    return placed._asdict() if bias else placed._replace(layout_bias="contiguous")._asdict()


def placed(draw: Draw, supported: Iterable[Layout]) -> Placed:
    """Layouts of all tensors, and where their memory lies.

    In two of five cases all have one layout, in two one of them is alone in its own, in the rest each has its own.
    """
    able = frozenset(supported)
    placement: Placement = "at_end" if draw(0, 2) == 2 else "aligned"
    families, of_gradients = _families(_FAMILIES, able), _families((*_FAMILIES, *_OF_GRADIENTS), able)
    of_bias = tuple(layout for layout in BIAS_LAYOUTS if layout in able or layout == "contiguous")
    way = draw(0, 4)
    first = pick(draw, pick(draw, families))
    if way <= 1:
        return Placed((first,) * 3, first if first in of_bias else of_bias[0], placement)
    plain = families[0][0]
    if way <= 3:
        alone = draw(0, 3)
        if alone == 0:
            return Placed((first, plain, plain), of_bias[0], placement)
        if alone == 1:
            return Placed((plain, first, plain), of_bias[0], placement)
        if alone == 2:
            return Placed((plain, plain, pick(draw, pick(draw, of_gradients))), of_bias[0], placement)
        return Placed((plain,) * 3, pick(draw, of_bias), placement)
    second, third = pick(draw, pick(draw, families)), pick(draw, pick(draw, of_gradients))
    return Placed((first, second, third), pick(draw, of_bias), placement)


def any_of(draw: Draw, supported: Iterable[Layout]) -> Layout:
    """One of some layouts, each family as often as any other."""
    able = frozenset(supported)
    return pick(draw, pick(draw, tuple(dict.fromkeys(_families((*_FAMILIES, *_OF_GRADIENTS), able)))))


def weighted(layouts: Iterable[str]) -> tuple[str, ...]:
    """The layouts as often as they are drawn where each is a choice of its own, the simplest first; of orders a few."""
    usual = [layout for layout in layouts if layout not in _ORDERS or layout in _COMMON_ORDERS]
    if len(usual) <= 1:
        return tuple(usual)
    return tuple(layout for layout in usual for _ in range(_TIMES.get(layout, _TIMES_OF_OTHERS)))


def _families(families: Iterable[tuple[Layout, ...]], able: frozenset[Layout]) -> tuple[tuple[Layout, ...], ...]:
    left = (tuple(layout for layout in family if layout in able) for family in families)
    return tuple(family for family in left if family)
