"""Where in a result the wrong elements sit, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Positions = NDArray[np.intp]

_NAMES: Final = {
    1: ("channel",),
    3: ("channel", "row", "column"),
    4: ("image", "channel", "row", "column"),
}
_OF_WEIGHTS: Final = ("filter", "input channel", "kernel row", "kernel column")
_BLOCKS: Final = (32, 16, 8, 4)
_NEARLY: Final = 0.9  # wrong terms cancel here and there
_RIM: Final = 0.5  # of a border, at least so much is wrong
_ORDINALS: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def locate(
    wrong: Mask,
    judged: Mask,
    known: Mapping[int, Mapping[str, Iterable[int]]] | None = None,
    quantity: str = "output",
) -> str:
    """Where the wrong elements sit among those judged: "everywhere", "the last column", "image 1, channels 4–7".

    Args:
        wrong: mask of the wrong elements; at least one.
        judged: mask of the elements that were compared, of the same shape: (N, C, H, W), (C, H, W) or
            (C,); a weight is taken as (output channel, input channel, row, column).
        known: by axis, positions that have a name of their own in this layer.
        quantity: whose elements they are: a weight has filters, not images.
    """
    if wrong[judged].all():
        return "everywhere"
    along = [_along(wrong, judged, axis, (known or {}).get(axis, {}), quantity) for axis in range(wrong.ndim)]
    parts = [text for text in along if text]
    share = f"{int(wrong.sum())} of {int(judged.sum())} elements"
    rim = _rim(wrong, judged)
    if rim and bool(along[-1]) is bool(along[-2]):
        planes = [text for text in along[:-2] if text]
        return rim + (f" of {', '.join(planes)}" if planes else "") + f" ({share})"
    if parts:
        return ", ".join(parts) + f" ({share})"
    nearly = wrong[judged].mean() > _NEARLY
    return f"nearly everywhere ({share})" if nearly else f"scattered: {share}"


def _along(wrong: Mask, judged: Mask, axis: int, known: Mapping[str, Iterable[int]], quantity: str) -> str:
    """The wrong positions along one axis as words; empty if every position has wrong elements."""
    others = tuple(a for a in range(wrong.ndim) if a != axis)
    hit = np.flatnonzero(wrong.any(axis=others))
    possible = np.flatnonzero(judged.any(axis=others))
    if len(hit) == len(possible):
        return ""
    for words, positions in known.items():
        if np.array_equal(hit, np.intersect1d(np.fromiter(positions, np.intp), possible)):
            return words
    names = _OF_WEIGHTS if quantity == "grad_weight" else _NAMES.get(wrong.ndim, ())
    name = names[axis] if len(names) == wrong.ndim else f"axis {axis}"
    return next(_phrases(hit, wrong.shape[axis], name))


def _phrases(hit: Positions, size: int, name: str) -> Iterator[str]:
    """Descriptions of positions along an axis, the most telling first; there is always one."""
    first, last, count = int(hit[0]), int(hit[-1]), len(hit)
    run = last - first + 1 == count
    if count == 1 and first in (0, size - 1):
        yield f"the {'first' if first == 0 else 'last'} {name}{_tail(first, size)}"
    if count == 1:
        yield f"{name} {first}"
    if run and last == size - 1:
        yield f"{name}s {first}–{last}, the last {count}{_tail(first, size)}"
    if run and first == 0:
        yield f"{name}s 0–{last}, the first {count}"
    if run:
        yield f"{name}s {first}–{last}{_block(first, count)}"
    if count == 2 and (first, last) == (0, size - 1):
        yield f"the first and the last {name}"
    if (first, last) == (0, size - 1) and (np.diff(hit) > 1).sum() == 1:
        split = int(np.argmax(np.diff(hit) > 1))
        yield f"the first {split + 1} and the last {count - split - 1} {name}s"
    steps = np.diff(hit)
    if (steps == steps[0]).all() and count == len(range(first, size, int(steps[0]))):
        odd = {0: "even", 1: "odd"}.get(first) if steps[0] == 2 else None
        yield f"the {odd} {name}s" if odd else f"every {_ordinal(int(steps[0]))} {name} from {first}"
    yield f"{count} of {size} {name}s"


def _tail(first: int, size: int) -> str:
    """What is left of an axis after whole blocks."""
    block = next((b for b in _BLOCKS if first and first == size // b * b and size % b), 0)
    return f" (after the last multiple of {block})" if block else ""


def _block(first: int, count: int) -> str:
    if count not in _BLOCKS or first % count:
        return ""
    number = first // count
    which = f"the {_ORDINALS[number]} block" if number < len(_ORDINALS) else f"block {number + 1}"
    return f" ({which} of {count})"


def _ordinal(number: int) -> str:
    return {2: "2nd", 3: "3rd"}.get(number, f"{number}th")


def _rim(wrong: Mask, judged: Mask) -> str:
    """The border or the corners of the images; empty if wrong elements lie elsewhere, or on one side only."""
    if wrong.ndim < 3 or min(wrong.shape[-2:]) < 3:
        return ""
    edges = [wrong[..., 0, :], wrong[..., -1, :], wrong[..., :, 0], wrong[..., :, -1]]
    if not all(edge.any() for edge in edges):
        return ""
    rows, columns = (np.arange(size) for size in wrong.shape[-2:])
    distance = np.minimum(
        np.minimum(rows, rows[::-1])[:, None], np.minimum(columns, columns[::-1])[None, :]
    )  # from the nearest edge
    plane: Mask = np.asarray((wrong & judged).any(axis=tuple(range(wrong.ndim - 2))))
    width = int(distance[plane].max()) + 1
    at_both = (rows[:, None] % (wrong.shape[-2] - 1) == 0) & (columns[None, :] % (wrong.shape[-1] - 1) == 0)
    if not (plane & ~at_both).any():
        return "the corners"
    if 2 * width >= min(wrong.shape[-2:]) or plane[distance < width].mean() < _RIM:
        return ""
    return "the border" if width == 1 else f"a border {width} wide"
