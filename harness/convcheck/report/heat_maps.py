"""Heat maps as text and as pictures."""

from __future__ import annotations

from collections import defaultdict
from html import escape
from typing import Final

from convcheck.model.diagnosis import HeatMap

_BLOCKS: Final = "·▁▂▃▄▅▆▇█"
_SIDE: Final = 280
_LARGEST: Final = 36
_SMALLEST: Final = 12
_WITH_NUMBERS: Final = 30
"""Pixels of a cell in which its share can be read."""

_LEFT: Final = 22
_TOP: Final = 18
_WHITE_FROM: Final = 0.95
_STEPS: Final = 10


def as_text(found: HeatMap) -> str:
    """A line of block characters for each row of the map: · for right, █ for all wrong."""
    lines = ["".join(_block(share) for share in row) for row in found.shares]
    return "\n".join([*lines, f"(down: {found.rows}; across: {found.columns})"])


def as_svg(found: HeatMap) -> str:
    """The map as an inline SVG image with its axes, darker where more is wrong, on white in any theme.

    All cells of about one share are one path; where they are large enough, each has its share in percent.
    """
    rows, columns = len(found.shares), len(found.shares[0])
    cell = max(_SMALLEST, min(_LARGEST, _SIDE // max(rows, columns)))
    high, wide = rows * cell, columns * cell
    width = max(wide, 7 * len(found.columns)) + _LEFT
    height = max(high, 7 * len(found.rows)) + _TOP
    label = escape(f"share of wrong elements; down: {found.rows}; across: {found.columns}")
    return (
        f'<svg class="map" role="img" aria-label="{label}" width="{width}" height="{height + 1}" '
        f'viewBox="-{_LEFT} -{_TOP} {width} {height + 1}">'
        f'<text x="0" y="-6">{escape(found.columns)} →</text>'
        f'<text transform="rotate(90)" x="0" y="17">{escape(found.rows)} →</text>'
        f'<rect class="plate" width="{wide}" height="{high}"/>{_cells(found, cell)}{_numbers(found, cell)}</svg>'
    )


def _cells(found: HeatMap, cell: int) -> str:
    """A path for each shade, of the squares that have it."""
    squares: defaultdict[int, str] = defaultdict(str)
    for y, row in enumerate(found.shares):
        for x, share in enumerate(row):
            squares[_shade(share)] += f"M{x * cell} {y * cell}h{cell - 1}v{cell - 1}h-{cell - 1}z"
    return "".join(
        f'<path class="share" fill-opacity="{0.06 + 0.94 * shade / _STEPS:.3g}" d="{path}"/>'
        for shade, path in sorted(squares.items())
    )


def _shade(share: float) -> int:
    """The share in steps: one wrong element among many is told from none, and one right element from all wrong."""
    return round(share * _STEPS) if share in (0, 1) else min(_STEPS - 1, max(1, round(share * _STEPS)))


def _numbers(found: HeatMap, cell: int) -> str:
    if cell < _WITH_NUMBERS:
        return ""
    return "".join(
        f'<text class="{"light" if share >= _WHITE_FROM else "dark"}" x="{x * cell + cell // 2}" '
        f'y="{y * cell + cell // 2 + 4}">{_percent(share)}</text>'
        for y, row in enumerate(found.shares)
        for x, share in enumerate(row)
        if share
    )


def _percent(share: float) -> str:
    return "100" if share == 1 else f"{min(99, max(1, round(100 * share)))}"


def _block(share: float) -> str:
    # one wrong element among many is still shown, and so is one right element among many
    return _BLOCKS[0] if share == 0 else _BLOCKS[1 + int(share * (len(_BLOCKS) - 2))]
