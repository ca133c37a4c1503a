"""Changes of a case by which a rule may break, whatever the case: made once, as they are the same for all."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import product
from typing import Any, Final, TypeAlias

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
