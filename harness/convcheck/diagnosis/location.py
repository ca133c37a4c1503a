"""Where in a result the wrong elements sit, in words."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_NAMES: Final = {1: ("channel",), 3: ("channel", "row", "column"), 4: ("image", "channel", "row", "column")}


def locate(wrong: Mask, judged: Mask) -> str:
    """Where the wrong elements sit among those judged: "everywhere", "last column", "image 1, channels 4–7".

    Args:
        wrong: mask of the wrong elements; at least one.
        judged: mask of the elements that were compared, of the same shape: (N, C, H, W), (C, H, W) or
            (C,); a weight is taken as (output channel, input channel, row, column).
    """
    if wrong[judged].all():
        return "everywhere"
    parts = [text for axis in range(wrong.ndim) if (text := _along(wrong, judged, axis))]
    if _is_border(wrong, judged):
        return "the border" + (f" of {', '.join(parts)}" if parts else "")
    share = f"{int(wrong.sum())} of {int(judged.sum())} elements"
    return ", ".join(parts) + f" ({share})" if parts else f"scattered: {share}"


def _along(wrong: Mask, judged: Mask, axis: int) -> str:
    """The wrong positions along one axis as words; empty if every position has wrong elements."""
    others = tuple(a for a in range(wrong.ndim) if a != axis)
    hit = np.flatnonzero(wrong.any(axis=others))
    possible = np.flatnonzero(judged.any(axis=others))
    if len(hit) == len(possible):
        return ""
    name = _NAMES.get(wrong.ndim, tuple(f"axis {a}" for a in range(wrong.ndim)))[axis]
    size = wrong.shape[axis]
    if len(hit) == 1:
        position = {0: "first", size - 1: "last"}.get(int(hit[0]))
        return f"the {position} {name}" if position else f"{name} {hit[0]}"
    steps = np.diff(hit)
    if (steps == 1).all():
        last = " (the last)" if hit[-1] == size - 1 else ""
        return f"{name}s {hit[0]}–{hit[-1]}{last}"
    if (steps == steps[0]).all():
        return f"every {steps[0]}th {name} from {hit[0]}"
    return f"{len(hit)} of {size} {name}s"


def _is_border(wrong: Mask, judged: Mask) -> bool:
    if wrong.ndim < 3 or min(wrong.shape[-2:]) < 3:
        return False
    inner = (..., slice(1, -1), slice(1, -1))
    edges = [wrong[..., 0, :], wrong[..., -1, :], wrong[..., :, 0], wrong[..., :, -1]]
    return not (wrong & judged)[inner].any() and all(edge.any() for edge in edges)
