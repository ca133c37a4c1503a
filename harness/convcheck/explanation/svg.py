"""A layer's geometry as inline SVG: the padded image and the output, to scale, in a bounded number of elements.

Colours are classes of `drawing.css`, which the page has. Where a pixel would be too small to be seen, outlines alone
are drawn; what all pixels share is one path.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from convcheck.explanation.geometry import Axis, Geometry
from convcheck_reference.params import Conv2dParams, Pair

SIDE: Final = 300.0
"""Pixels of the screen along the longer side of an image: a picture fits a phone."""

_LARGEST_UNIT: Final = 22.0
_GRID_FROM: Final = 4.0
"""Pixels of the screen that one of the image takes at least where each is drawn."""

_SLIVER: Final = 6.0
_MARGIN: Final = 4.0
_MOST_CHANNELS: Final = 4
_MOST_GROUPS: Final = 4
_BOX: Final = 16.0


def input_svg(geometry: Geometry, wrong: Sequence[Pair] = ()) -> str:
    """The padded image with the windows on it: the taps of the one that is shown, the outlines of the others.

    Args:
        geometry: of the layer.
        wrong: pixels of the image to be marked as wrong.
    """
    down, across = geometry.down, geometry.across
    scale = _scale(down.padded, across.padded)
    parts = [
        _rect("pad", 0, 0, down.padded, across.padded, scale),
        _rect("image", down.before, across.before, down.size, across.size, scale),
        _grid(down.padded, across.padded, scale),
        *(_window("other", geometry, window, scale) for window in geometry.others),
        _taps(geometry, scale),
        _window("shown", geometry, geometry.shown, scale),
        *(_cell("wrong", (down.before + y, across.before + x), scale) for y, x in wrong),
    ]
    return _svg(parts, down.padded, across.padded, scale, _input_label(geometry))


def output_svg(geometry: Geometry, wrong: Sequence[Pair] = ()) -> str:
    """The output: a cell for each window, those of the windows on the image filled in.

    Args:
        geometry: of the layer.
        wrong: cells to be marked as wrong.
    """
    rows, columns = geometry.down.windows, geometry.across.windows
    scale = _scale(rows, columns)
    parts = [
        _rect("output", 0, 0, rows, columns, scale),
        *(_cell("other", cell, scale) for cell in geometry.others),
        _cell("shown", geometry.shown, scale),
        *(_cell("wrong", cell, scale) for cell in wrong),
        _grid(rows, columns, scale),
    ]
    label = f"output of {rows} × {columns}; the filled cell is what the marked window gives"
    return _svg(parts, rows, columns, scale, label)


def kernel_svg(params: Conv2dParams, wrong: Sequence[Pair] = ()) -> str:
    """The taps of the kernel, those that are wrong marked."""
    rows, columns = params.kernel_size
    scale = _scale(rows, columns)
    parts = [
        _rect("output", 0, 0, rows, columns, scale),
        *(_cell("wrong", cell, scale) for cell in wrong),
        _grid(rows, columns, scale),
    ]
    return _svg(parts, rows, columns, scale, f"kernel of {rows} × {columns} taps")


def groups_svg(params: Conv2dParams) -> str:
    """Which channels of the input each filter reads: a block for each group, the middle of many left out."""
    shown = min(params.groups, _MOST_GROUPS)
    ins, outs = params.in_channels // params.groups, params.out_channels // params.groups
    height = max(min(ins, _MOST_CHANNELS), min(outs, _MOST_CHANNELS)) * _BOX
    parts = [
        part for group in range(shown) for part in _block(ins, outs, top=group * (height + _BOX), odd=bool(group % 2))
    ]
    deep, note = shown * (height + _BOX), _groups_note(params.groups - shown, max(ins, outs))
    if note:
        parts.append(f'<text x="0" y="{deep + 10:g}">{escape(note)}</text>')
    label = f"{params.groups} groups: {ins} channels of the input, {outs} filters in each"
    return (
        f'<svg class="drawing" role="img" aria-label="{escape(label)}" width="{SIDE:g}" height="{deep + 16:g}" '
        f'viewBox="0 -2 {SIDE:g} {deep + 18:g}">{"".join(parts)}</svg>'
    )


def _block(ins: int, outs: int, *, top: float, odd: bool) -> Iterable[str]:
    """The boxes of one group and the lines between them."""
    name = "odd" if odd else "even"
    left = [top + row * _BOX for row in range(min(ins, _MOST_CHANNELS))]
    right = [top + row * _BOX for row in range(min(outs, _MOST_CHANNELS))]
    far, half = SIDE - 3 * _BOX, _BOX / 2
    lines = "".join(f"M{2 * _BOX:g} {a + half:g}L{far:g} {b + half:g}" for a in left for b in right)
    yield f'<path class="link {name}" d="{lines}"/>'
    for x, tops in ((_BOX / 2, left), (far, right)):
        yield from (
            f'<rect class="channel {name}" x="{x:g}" y="{y:g}" width="{1.5 * _BOX:g}" height="{_BOX - 3:g}"/>'
            for y in tops
        )


def _groups_note(groups: int, channels: int) -> str:
    more = [f"{groups} more {'group' if groups == 1 else 'groups'}"] if groups else []
    more += [f"{_MOST_CHANNELS} channels of each are drawn"] if channels > _MOST_CHANNELS else []
    return "; ".join(more)


def shows_taps(geometry: Geometry) -> bool:
    """Whether the taps of the shown window are drawn one by one on the image."""
    down, across, (row, column) = geometry.down, geometry.across, geometry.shown
    return _drawable(down.positions(row), across.positions(column), _scale(down.padded, across.padded))


def to_scale(rows: int, columns: int) -> bool:
    """Whether rows and columns are drawn to one scale: a sliver is made thicker than it is."""
    high, wide = _scale(rows, columns)
    return high == wide


def _scale(rows: int, columns: int) -> tuple[float, float]:
    """Pixels of the screen for one of the image, down and across."""
    unit = min(_LARGEST_UNIT, SIDE / max(rows, columns))
    return max(unit, min(_SLIVER / rows, _LARGEST_UNIT)), max(unit, min(_SLIVER / columns, _LARGEST_UNIT))


def _rect(name: str, row: float, column: float, rows: float, columns: float, scale: tuple[float, float]) -> str:
    high, wide = scale
    return (
        f'<rect class="{name}" x="{column * wide:.4g}" y="{row * high:.4g}" '
        f'width="{columns * wide:.4g}" height="{rows * high:.4g}"/>'
    )


def _cell(name: str, cell: Pair, scale: tuple[float, float]) -> str:
    """A marked cell, made as large as it takes to be seen."""
    return _rect(name, *cell, max(1.0, _SLIVER / scale[0]), max(1.0, _SLIVER / scale[1]), scale)


def _window(name: str, geometry: Geometry, window: Pair, scale: tuple[float, float]) -> str:
    down, across = geometry.down, geometry.across
    return _rect(f"window {name}", down.start(window[0]), across.start(window[1]), down.extent, across.extent, scale)


def _taps(geometry: Geometry, scale: tuple[float, float]) -> str:
    """The pixels that the shown window reads, as one path; as one area where they are too small or too many."""
    down, across, (row, column) = geometry.down, geometry.across, geometry.shown
    high, wide = scale
    if not _drawable(down.positions(row), across.positions(column), scale):
        return _rect("taps", down.start(row), across.start(column), down.extent, across.extent, scale)
    squares = "".join(
        f"M{x * wide:.4g} {y * high:.4g}h{wide:.4g}v{high:.4g}h-{wide:.4g}z"
        for y in down.positions(row)
        for x in across.positions(column)
    )
    return f'<path class="taps" d="{squares}"/>'


def _drawable(rows: range, columns: range, scale: tuple[float, float]) -> bool:
    return min(scale) >= _GRID_FROM and len(rows) * len(columns) <= int(SIDE)


def _grid(rows: int, columns: int, scale: tuple[float, float]) -> str:
    high, wide = scale
    lines = [f"M0 {y * high:.4g}H{columns * wide:.4g}" for y in range(1, rows)] if high >= _GRID_FROM else []
    lines += [f"M{x * wide:.4g} 0V{rows * high:.4g}" for x in range(1, columns)] if wide >= _GRID_FROM else []
    return f'<path class="grid" d="{"".join(lines)}"/>' if lines else ""


def _svg(parts: Sequence[str], rows: int, columns: int, scale: tuple[float, float], label: str) -> str:
    high, wide = rows * scale[0] + 2 * _MARGIN, columns * scale[1] + 2 * _MARGIN
    return (
        f'<svg class="drawing" role="img" aria-label="{escape(label)}" width="{wide:.4g}" height="{high:.4g}" '
        f'viewBox="-{_MARGIN:g} -{_MARGIN:g} {wide:.4g} {high:.4g}">{"".join(parts)}</svg>'
    )


def _input_label(geometry: Geometry) -> str:
    down, across = geometry.down, geometry.across
    row, column = geometry.shown
    return (
        f"image of {down.size} × {across.size}, padded to {down.padded} × {across.padded}; the window of output "
        f"({row}, {column}) begins in padded row {down.start(row)} and column {across.start(column)} and reads "
        f"{_reads(down)} × {_reads(across)}"
    )


def _reads(axis: Axis) -> str:
    return f"{axis.taps}" if axis.dilation == 1 else f"{axis.taps} of {axis.extent}"
