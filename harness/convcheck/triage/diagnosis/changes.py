"""Changes of a case by which a rule may break, whatever the case: made once, as they are the same for all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from itertools import product
from typing import Any, Final, TypeAlias

from convcheck.model.case import Case
from convcheck.model.rules import facts
from convcheck.triage.diagnosis.mutations import COUNTS, NEAR_VALUES, VALUES

Changes: TypeAlias = tuple[Mapping[str, Any], ...]
"""Each for `mutations.with_changes`."""

_EDGES: Final = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15, 16, 17, 24, 25, 31, 32, 33)
"""Values of counts on both sides of the sizes of blocks, and between them."""

CHOICES: Final[Changes] = tuple(
    {name: value} for name, values in VALUES.items() if name not in COUNTS for value in dict.fromkeys(values)
)
"""Each parameter that is no count with every value that it may have."""

SINGLE: Final[Changes] = tuple({name: value} for name, values in NEAR_VALUES.items() for value in values)
"""Each parameter with another value."""

OTHER_VALUES: Final[Changes] = tuple({name: value} for name in COUNTS for value in _EDGES)
"""Each count with values in every residue class of the usual blocks."""

SAME: Final[Changes] = tuple(
    {"padding_h": "same", "kernel_h": high, "kernel_w": wide} for high, wide in ((1, 3), (3, 1), (3, 3), (2, 4), (4, 2))
)
"""Padding 'same' with kernels that have some on either axis: that of one tap, where most cases are small, has none."""


@lru_cache(maxsize=256)
def tied_at(value: int) -> Changes:
    """What to change so that counts that go together have one value: kernels and strides, channels, windows."""
    return (
        {"in_per_group": value, "out_per_group": value},
        *({f"{stem}_{axis}": value for stem in ("kernel", "stride") for axis in axes} for axes in ("h", "w", "hw")),
        *({f"{stem}_h": value, f"{stem}_w": value} for stem in ("kernel", "stride", "dilation")),
        # as many windows on an axis as a tap is wide or there are taps, one more and one fewer
        *(
            {f"{stem}_{axis}": value, f"output_{axis}": value + more}
            for axis, stem, more in product("hw", ("dilation", "kernel"), (-1, 0, 1))
        ),
    )


def same_image(case: Case, spoken_of: Collection[str]) -> Changes:
    """What to change so that other windows, and as a rule more or fewer of them, lie on an image of the same size.

    Most changes keep the number of windows and so change the image: then a rule about one holds wherever it is meant of
    the other. The smallest failing case is often at the bound of what is wrong, which an image smaller by a pixel
    crosses; padding makes up for that, and shows what zeros would hide where it copies pixels.

    Args:
        case: a legal case.
        spoken_of: words of a rule: only of an axis whose size or windows are among them.
    """
    known = facts(case)
    return tuple(
        {**windows, **besides}
        for axis, size in (("h", "height"), ("w", "width"))
        if size in spoken_of or f"output_{axis}" in spoken_of
        for stem, value, less, besides in _OTHER_WINDOWS
        if (windows := _windows_on(int(known[size]) - less, axis, {**known, f"{stem}_{axis}": value})) is not None
    )


_OTHER_WINDOWS: Final[tuple[tuple[str, int, int, Mapping[str, str]], ...]] = (
    *((stem, value, 0, {}) for stem in ("stride", "kernel") for value in (2, 3)),
    *(
        ("padding", value, less, mode)
        for value, mode in product((1, 3), ({}, {"mode": "replicate"}))
        for less in (0, 1, 2 * value)
    ),
)
"""A parameter of an axis and its value, by how many pixels the image is smaller, and what else changes."""


def _windows_on(size: int, axis: str, known: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The windows of an axis with these parameters on an image of a size; None where there are none."""
    kernel, stride, padding = (int(known[f"{stem}_{axis}"]) for stem in ("kernel", "stride", "padding"))
    room = size + 2 * padding - int(known[f"dilation_{axis}"]) * (kernel - 1) - 1
    if size < 1 or room < 0:
        return None
    windows, left_over = divmod(room, stride)
    own = {"kernel": kernel, "stride": stride, "padding": padding, "output": windows + 1, "left_over": left_over}
    return {f"{stem}_{axis}": value for stem, value in own.items()}
