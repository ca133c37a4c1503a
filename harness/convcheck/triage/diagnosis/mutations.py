"""The neighbourhood of a case: single parameters changed, and several at once, always a legal case."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Any, Final

import numpy as np

from convcheck.model.case import BIAS_LAYOUTS, LAYOUTS, PLACEMENTS, Case, Layout, Regime
from convcheck.model.rules import Facts, facts
from convcheck.triage.diagnosis.terms import EVERY_PARAMETER, PARAMETERS, Terms, case_of, made, terms_of
from convcheck_reference.params import PADDING_MODES

_SMALL: Final = (1, 2, 3, 4, 5, 6, 7, 8)
_SIZES: Final = (*_SMALL, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 23, 24, 31, 32, 33)
_DTYPES: Final = ("float32", "float64", "float16", "bfloat16")
_REGIMES: Final[tuple[Regime, ...]] = ("reals", "wide", "positive", "large", "cancelling", "subnormal")
_LAYOUTS: Final[tuple[Layout, ...]] = (
    *("contiguous",) * 3, *LAYOUTS[1:LAYOUTS.index("channels_last+offset") + 1], "order-2310", "order-3210",
)  # fmt: skip
"""Of the orders some: there are more of them than of all others."""
_OF_OPERANDS: Final = tuple(layout for layout in _LAYOUTS if layout != "broadcast")
"""Of gradients alone are one number: of an image of equal pixels nothing tells where they were read."""

VALUES: Final[dict[str, tuple[Any, ...]]] = {
    "kernel_h": (1, 2, 3, 4, 5, 7),
    "kernel_w": (1, 2, 3, 4, 5, 7),
    "stride_h": (1, 2, 3, 4, 5),
    "stride_w": (1, 2, 3, 4, 5),
    "dilation_h": (1, 2, 3, 5),
    "dilation_w": (1, 2, 3, 5),
    "padding_h": (0, 1, 2, 3, "same", "valid"),
    "padding_w": (0, 1, 2, 3),
    "groups": (1, 2, 3, 4, 8, 9),
    "in_per_group": (1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33),
    "out_per_group": (1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33),
    "batch": (1, 2, 3, 4, 5, 0),
    "output_h": _SIZES,
    "output_w": _SIZES,
    "left_over_h": (0, 1, 2),
    "left_over_w": (0, 1, 2),
    "bias": (False, True),
    "mode": PADDING_MODES,
    "dtype": _DTYPES,
    "regime": _REGIMES,
    "layout_x": _OF_OPERANDS,
    "layout_weight": _OF_OPERANDS,
    "layout_grad": _LAYOUTS,
    "kernel_pair": (False, True),
    "stride_pair": (False, True),
    "padding_pair": (False, True),
    "dilation_pair": (False, True),
    "layout_bias": BIAS_LAYOUTS,
    "placement": PLACEMENTS,
}
"""Values that are tried, the most usual first."""

COUNTS: Final = (
    "kernel_h", "kernel_w", "stride_h", "stride_w", "dilation_h", "dilation_w", "padding_h", "padding_w", "groups",
    "in_per_group", "out_per_group", "batch", "output_h", "output_w", "left_over_h", "left_over_w",
)  # fmt: skip
"""The parameters that may have any value from 1, or 0 for padding, as far as the case stays small."""

_POSITIVE: Final = frozenset(name for name in COUNTS if not name.startswith(("padding", "left_over", "batch")))

AXES: Final = ("kernel", "stride", "dilation", "padding", "output")
"""The stems of counts that there are for either axis."""

NEAR_VALUES: Final[dict[str, tuple[Any, ...]]] = {
    **VALUES,
    "output_h": (1, 2, 3, 4, 5, 8, 16),
    "output_w": (1, 2, 3, 4, 5, 8, 16),
    "in_per_group": (1, 2, 3, 8),
    "out_per_group": (1, 2, 3, 8),
    "groups": (1, 2, 3),
    "batch": (1, 2, 3),
    "kernel_h": (1, 2, 3, 4),
    "kernel_w": (1, 2, 3, 4),
    "stride_h": (1, 2, 3),
    "stride_w": (1, 2, 3),
    "dilation_h": (1, 2, 3),
    "dilation_w": (1, 2, 3),
    "padding_h": (0, 1, 2, "same", "valid"),
    "padding_w": (0, 1, 2),
    "layout_x": LAYOUTS[:3],
    "layout_weight": LAYOUTS[:3],
    "layout_grad": LAYOUTS[:3],
    "layout_bias": BIAS_LAYOUTS[:2],
    "regime": ("reals", "wide", "positive"),
}
"""Fewer of them, for single changes."""

_FREE: Final[dict[str, tuple[str, ...]]] = {
    "height": ("output_h", "left_over_h"),
    "width": ("output_w", "left_over_w"),
    "row_bytes": ("output_w",),
    "in_channels": ("in_per_group", "groups"),
    "out_channels": ("out_per_group", "groups"),
    "extent_h": ("kernel_h", "dilation_h"),
    "extent_w": ("kernel_w", "dilation_w"),
    "pad_bottom": ("padding_h",),
    "pad_right": ("padding_w",),
}
"""What is changed to change what follows from it."""

_LEAST_RANGE: Final = 4

_FACTORS: Final = (1, 2, 3)
"""Of a product that is to have a value."""

_ROOMIER: Final[dict[str, tuple[Any, ...]]] = {
    "output_h": (5, 6, 4),
    "output_w": (6, 7, 5, 9),
    "in_per_group": (3, 2),
    "out_per_group": (3, 2),
    "batch": (2,),
}


def generator_of(case: Case) -> np.random.Generator:
    """Chance that hangs on the case alone, so that whoever looks around it sees the same."""
    return np.random.default_rng(zlib.crc32(case.token.encode()))


@lru_cache(maxsize=64)
def single_changes(case: Case) -> tuple[Case, ...]:
    """Every parameter of a legal case set to other values, one at a time, and height exchanged with width."""
    terms = terms_of(case)
    others = [
        terms._replace(**{name: value})
        for name, values in NEAR_VALUES.items()
        for value in values
        if value != getattr(terms, name)
    ]
    others += [terms._replace(batch=1 if terms.batch is None else None), _exchanged(terms)]
    others += [_exchanged(terms, name) for name in ("kernel", "stride", "dilation", "padding", "output")]
    others += list(_regrouped(terms))
    found = {c.token: c for c in (case_of(one, case) for one in others) if c is not None}
    found.pop(case.token, None)
    return tuple(found.values())


def resized(case: Case, names: Sequence[str], rng: np.random.Generator) -> Iterator[Case]:
    """An endless stream of cases that differ in a few counts only, which may take any value.

    Args:
        case: a legal case.
        names: of the counts, as in rules; what follows from others is changed by changing those.
        rng: draws the values.
    """
    terms, known = terms_of(case), facts(case)
    free = sorted({one for name in names for one in _FREE.get(name, (name,))})
    largest = {name: 2 * max(_LEAST_RANGE, int(known[name])) for name in free}
    while True:
        chosen = rng.choice(free, size=rng.integers(1, len(free), endpoint=True), replace=False)
        drawn: dict[str, Any] = {str(n): int(rng.integers(1, largest[str(n)], endpoint=True)) for n in chosen}
        found = case_of(terms._replace(**drawn), case) if set(drawn) <= VALUES.keys() else None
        yield case if found is None else found


def changed(case: Case, name: str, value: Any) -> Case | None:
    """A legal case with one parameter set; None where there is no such parameter, or no such case."""
    return with_changes(case, {name: value})


def with_changes(case: Case, changes: Mapping[str, Any]) -> Case | None:
    """A legal case with several parameters set; None where one of them is none, or there is no such case."""
    if not changes.keys() <= VALUES.keys() or any(value == 0 and name in _POSITIVE for name, value in changes.items()):
        return None
    return case_of(terms_of(case)._replace(**changes), case)


def causes_of(name: str) -> tuple[str, ...]:
    """What is changed to change a count of a rule: what it follows from, or itself."""
    return _FREE.get(name, (name,))


def changes_reaching(case: Case, name: str, value: int) -> Mapping[str, int] | None:
    """What to change of a legal case, for `with_changes`, so that a count of a rule has a value; None where nothing is.

    Of what follows from several, the one that grows with it is changed, and the rest made up for.
    """
    known = {key: int(one) for key, one in facts(case).items() if not isinstance(one, str)}
    axis = name[-1:] if name.endswith(("_h", "_w")) else {"height": "h", "width": "w", "row_bytes": "w"}.get(name, "")
    if name == "row_bytes":
        per_pixel = known[name] // known["width"]
        return changes_reaching(case, "width", value // per_pixel) if value % per_pixel == 0 else None
    if name in ("height", "width"):
        stride = known[f"stride_{axis}"]
        pixels = known[f"output_{axis}"] * stride + known[f"left_over_{axis}"] + value - known[name]
        return {f"output_{axis}": pixels // stride, f"left_over_{axis}": pixels % stride}
    if name in ("in_channels", "out_channels"):
        groups = known["groups"] if value % known["groups"] == 0 else 1
        return {name.replace("channels", "per_group"): value // groups, "groups": groups}
    if name.startswith("extent"):
        dilation = known[f"dilation_{axis}"] if (value - 1) % known[f"dilation_{axis}"] == 0 else 1
        return {f"kernel_{axis}": (value - 1) // dilation + 1, f"dilation_{axis}": dilation}
    if name.startswith("pad_"):
        return {causes_of(name)[0]: value}
    return {name: value} if name in COUNTS else None


def changes_factoring(case: Case, names: Sequence[str], value: int) -> Iterator[Mapping[str, int]]:
    """What to change of a legal case, for `with_changes`, so that a product of counts has a value: some ways.

    All factors but one stay as they are, or are small where that divides the value; the last makes up for them. Where
    padding is changed, the image grows with it in a second way: of a border alone nothing tells whether it is right.
    """
    known = facts(case)
    for last in names:
        others = [name for name in names if name != last]
        for factors in dict.fromkeys(product(*((int(known[name]), *_FACTORS) for name in others))):
            rest = math.prod(factors)
            if rest == 0 or value % rest:
                continue
            ways = [
                changes_reaching(case, name, factor)
                for name, factor in zip((*others, last), (*factors, value // rest), strict=True)
            ]
            if None not in ways:
                changes = {name: count for way in ways if way is not None for name, count in way.items()}
                yield changes
                if beyond := _image_beyond(known, changes):
                    yield {**beyond, **changes}


def _image_beyond(known: Facts, changes: Mapping[str, int]) -> dict[str, int]:
    """The output sizes by which an image is twice as large as the padding around it, where that is changed."""
    found = {}
    for axis in ("h", "w"):
        output = 4 * changes.get(f"padding_{axis}", 0) // int(known[f"stride_{axis}"]) + 1
        if output > max(1, int(known[f"output_{axis}"])):
            found[f"output_{axis}"] = output
    return found


def roomier(case: Case, fails: Callable[[Case], bool]) -> Case:
    """A case that still fails, with more windows, channels and images where that is possible.

    What is smallest tells least: most of its neighbours have hardly an element that could be wrong.
    """
    for name, values in _ROOMIER.items():
        for value in values:
            known = getattr(terms_of(case), name)
            found = changed(case, name, value) if known is not None and known < value else None
            if found is not None and fails(found):
                case = found
                break
    return case


def variations(case: Case, rng: np.random.Generator, names: int) -> Iterator[Case]:
    """An endless stream of cases with up to `names` parameters changed at random, and another seed.

    Args:
        case: a legal case.
        rng: draws what is changed.
        names: most parameters that are changed, up to `EVERY_PARAMETER`.
    """
    terms = terms_of(case)
    while True:
        drawn: dict[str, Any] = {}
        for at in rng.permutation(EVERY_PARAMETER)[: rng.integers(1, names, endpoint=True)]:
            name = PARAMETERS[at]
            values = VALUES[name]
            drawn[name] = values[int(rng.integers(len(values)))]
        if names > 5 and rng.random() < 0.08:
            drawn["batch"] = None
        seed = int(rng.integers(2**16))
        found = made(terms._replace(**drawn), case.entry, case.flaw, nonzeros=None, seed=seed)
        if found is not None:
            yield found


def _regrouped(terms: Terms) -> Iterator[Terms]:
    """Other numbers of groups for the same channels."""
    into, out = terms.groups * terms.in_per_group, terms.groups * terms.out_per_group
    for groups in (1, 2, 3, 4, into):
        if groups != terms.groups and into % groups == out % groups == 0:
            yield terms._replace(groups=groups, in_per_group=into // groups, out_per_group=out // groups)


def _exchanged(terms: Terms, *stems: str) -> Terms:
    stems = stems or ("kernel", "stride", "dilation", "padding", "output", "left_over")
    if "padding" in stems and isinstance(terms.padding_h, str):
        stems = tuple(s for s in stems if s != "padding")
    changes = {f"{s}_h": getattr(terms, f"{s}_w") for s in stems} | {f"{s}_w": getattr(terms, f"{s}_h") for s in stems}
    return terms._replace(**changes)
