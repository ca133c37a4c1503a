"""Heat maps as text and as pictures."""

from __future__ import annotations

from html import escape
from typing import Final

from convcheck.model.diagnosis import HeatMap

_BLOCKS: Final = "·▁▂▃▄▅▆▇█"


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
    label = escape(f"share of wrong elements; down: {found.rows}; across: {found.columns}")
    return (
        f'<svg role="img" aria-label="{label}" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        + "".join(squares)
        + "</svg>"
    )


def _block(share: float) -> str:
    # one wrong element among many is still shown, and so is one right element among many
    return _BLOCKS[0] if share == 0 else _BLOCKS[1 + int(share * (len(_BLOCKS) - 2))]
