"""Heat maps: the share of wrong elements over two axes of a result, pooled to a size that can be read."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.diagnosis import HeatMap

Mask = NDArray[np.bool_]

MOST_CELLS: Final = 16


def heat_map(wrong: Mask, judged: Mask, axes: tuple[int, int], names: tuple[str, str]) -> HeatMap:
    """The share of wrong elements, of those judged, over two axes.

    Args:
        wrong: mask of the wrong elements.
        judged: mask of those that were compared, of the same shape.
        axes: that become the rows and the columns of the map.
        names: of these axes, in the plural.
    """
    wrong_counts, judged_counts = (_pooled(mask, axes) for mask in (wrong & judged, judged))
    shares = np.divide(wrong_counts, judged_counts, out=np.zeros(wrong_counts.shape), where=judged_counts > 0)
    sizes = [f"{name} 0–{wrong.shape[axis] - 1}" for name, axis in zip(names, axes, strict=True)]
    return HeatMap(sizes[0], sizes[1], tuple(tuple(round(float(s), 4) for s in row) for row in shares))


def _pooled(mask: Mask, axes: tuple[int, int]) -> NDArray[np.float64]:
    others = tuple(axis for axis in range(mask.ndim) if axis not in axes)
    counts = mask.sum(axis=others, dtype=np.float64)
    if axes[0] > axes[1]:
        counts = counts.T
    for axis in range(2):
        counts = np.add.reduceat(counts, _starts(counts.shape[axis]), axis=axis)
    return np.asarray(counts)


def _starts(size: int) -> list[int]:
    cells = min(size, MOST_CELLS)
    return [at * size // cells for at in range(cells)]
