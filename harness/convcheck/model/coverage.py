"""Which values of which parameters the cases of a run took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from convcheck.model.case import Case
from convcheck_reference.params import Conv2dParams, Pair

_LARGE: Final = 8
"""Sizes from which on values are counted as one class: beyond, each is too rare to tell anything."""


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How many cases of the campaign had one value of one parameter ("stride", "1×2")."""

    parameter: str
    value: str
    cases: int


def features(case: Case) -> tuple[tuple[str, str], ...]:
    """(parameter, value class) pairs of one case."""
    if case.violation is not None:
        return (("legality", type(case.violation).__name__),)
    params = case.params
    padding = case.arguments.padding
    return (
        ("legality", "legal"),
        ("kernel_size", _pair(params.kernel_size)),
        ("stride", _pair(params.stride)),
        ("padding", padding if isinstance(padding, str) else _pair(tuple(max(p) for p in params.padding))),
        ("dilation", _pair(params.dilation)),
        ("groups", _groups(params)),
        ("padding_mode", params.padding_mode),
        ("bias", str(params.bias)),
        ("dtype", case.dtype),
        ("values", case.regime),
        ("layout", case.layouts[0] if len(set(case.layouts)) == 1 else "mixed"),
        ("layout of the bias", case.layout_bias if case.arguments.bias else "no bias"),
        ("placement", case.placement),
        (
            "batch",
            "unbatched" if case.unbatched else str(min(case.batch, _LARGE)) + "+" * (case.batch >= _LARGE),
        ),
        ("entry", case.entry),
    )


def coverage(cases: Iterable[Case]) -> tuple[Coverage, ...]:
    """How many cases took each value, by parameter, most frequent first."""
    return from_counts(Counter(feature for case in cases for feature in features(case)))


def from_counts(counts: Counter[tuple[str, str]]) -> tuple[Coverage, ...]:
    """The rows of counted `features`."""
    rows = sorted(counts.items(), key=lambda item: (item[0][0], -item[1], item[0][1]))
    return tuple(Coverage(parameter=p, value=v, cases=n) for (p, v), n in rows)


def _pair(pair: tuple[int, ...] | Pair) -> str:
    return "×".join(str(v) if v < _LARGE else f"{_LARGE}+" for v in pair)


def _groups(params: Conv2dParams) -> str:
    if params.groups == 1:
        return "1"
    if params.groups == params.in_channels:
        return "depthwise" if params.out_channels == params.groups else "depthwise with multiplier"
    return "between 1 and channels"
