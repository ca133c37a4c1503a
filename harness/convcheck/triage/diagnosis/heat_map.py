"""Heat maps: the share of wrong elements over two axes of a result, pooled to a size that can be read."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.diagnosis import HeatMap

Mask = NDArray[np.bool_]

MOST_CELLS: Final = 16
_BLOCKS: Final = "·▁▂▃▄▅▆▇█"


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


def as_text(found: HeatMap) -> str:
    """A line of block characters for each row of the map: · for right, █ for all wrong."""
    lines = ["".join(_block(share) for share in row) for row in found.shares]
    return "\n".join([*lines, f"(down: {found.rows}; across: {found.columns})"])


def as_svg(found: HeatMap, cell: int = 14) -> str:
    """The map as an inline SVG image, darker where more is wrong."""
    height, width = len(found.shares) * cell, len(found.shares[0]) * cell
    squares = [
        f'<rect x="{x * cell}" y="{y * cell}" width="{cell - 1}" height="{cell - 1}" fill="#c5221f" '
        f'fill-opacity="{0.06 + 0.94 * share:.3g}"><title>{share:.0%} wrong</title></rect>'
        for y, row in enumerate(found.shares)
        for x, share in enumerate(row)
    ]
    label = f"share of wrong elements; down: {found.rows}; across: {found.columns}"
    return (
        f'<svg role="img" aria-label="{label}" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        + "".join(squares)
        + "</svg>"
    )


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


def _block(share: float) -> str:
    # one wrong element among many is still shown
    return _BLOCKS[0] if share == 0 else _BLOCKS[max(1, round(share * (len(_BLOCKS) - 1)))]
