"""A layer's geometry as characters: the padded image and the output, shrunk evenly where they are too large."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from convcheck.explanation.geometry import Axis, Geometry
from convcheck_reference.params import Conv2dParams, Pair

HIGH: Final = 24
WIDE: Final = 64
"""Characters of a picture at most, besides what is written around it."""

_PADDING, _PIXEL, _WINDOW, _TAP = "·", "░", "▒", "█"
_FEW_PIXELS: Final = 9
_FEW_GROUPS: Final = 4

LEGEND: Final = f"{_PADDING} padding   {_PIXEL} image   {_WINDOW} between the taps of a window   {_TAP} its taps"


def drawing(geometry: Geometry) -> str:
    """The padded image with the taps of the window that is shown, beside it the output, and what they mean."""
    left = input_rows(geometry)
    right = output_rows(geometry)
    high = max(len(left), len(right))
    wide = max(map(len, left))
    beside = wide + 4 + max(map(len, right)) <= WIDE + HIGH
    if not beside:
        return "\n".join([*left, "", *right, "", *_notes(geometry)])
    left += [""] * (high - len(left))
    right += [""] * (high - len(right))
    rows = [f"{a:{wide}}    {b}".rstrip() for a, b in zip(left, right, strict=True)]
    return "\n".join([*rows, "", *_notes(geometry)])


def input_rows(geometry: Geometry) -> list[str]:
    """The padded image, a character for each pixel or for several."""
    down, across, (row, column) = geometry.down, geometry.across, geometry.shown
    rows = _marks(down, row, HIGH)
    columns = _marks(across, column, WIDE)
    return ["".join(_character(a, b) for b in columns) for a in rows]


def output_rows(geometry: Geometry) -> list[str]:
    """The output, the cell of the window that is shown filled in."""
    rows, columns = geometry.down.windows, geometry.across.windows
    (row, column), step_down, step_across = geometry.shown, _step(rows, HIGH), _step(columns, HIGH)
    return [
        "".join(
            _TAP if (y, x) == (row // step_down, column // step_across) else _PIXEL
            for x in range(-(-columns // step_across))
        )
        for y in range(-(-rows // step_down))
    ]


def padding_line(axis: Axis) -> str:
    """Which pixels of a row the padding holds: ``2 1 [0 1 2 3 … 6 7] 6 5``, pixels counted from 0."""
    before = _shortened([_held(axis, at) for at in range(min(axis.before, _FEW_PIXELS + 1))])
    first = axis.before + axis.size
    after = _shortened([_held(axis, at) for at in range(first, first + min(axis.after, _FEW_PIXELS + 1))])
    few = range(axis.size) if axis.size <= _FEW_PIXELS else (0, 1, 2, None, axis.size - 2, axis.size - 1)
    image = " ".join("…" if at is None else str(at) for at in few)
    return " ".join(filter(None, (before, f"[{image}]", after)))


def group_lines(params: Conv2dParams) -> list[str]:
    """Which channels each filter reads, the middle of many groups left out."""
    ins, outs = params.in_channels // params.groups, params.out_channels // params.groups
    many = params.groups > _FEW_GROUPS
    some: list[int | None] = [0, 1, None, params.groups - 1] if many else [*range(params.groups)]
    return [
        "…"
        if group is None
        else f"group {group}: {_channels(group * outs, outs, 'filter')} read{'s' if outs == 1 else ''} "
        f"{_channels(group * ins, ins, 'channel')}"
        for group in some
    ]


def _channels(first: int, number: int, noun: str) -> str:
    return f"{noun} {first}" if number == 1 else f"{noun}s {first}–{first + number - 1}"


def _held(axis: Axis, position: int) -> str:
    source = axis.source(position)
    return "zero" if source is None else str(source)


def _shortened(pixels: list[str]) -> str:
    return " ".join(pixels if len(pixels) <= _FEW_PIXELS else [*pixels[: _FEW_PIXELS - 1], "…"])


def _step(size: int, most: int) -> int:
    """How many pixels a character stands for."""
    return -(-size // most)


def _marks(axis: Axis, window: int, most: int) -> list[tuple[bool, bool, bool]]:
    """For each character along an axis: whether it has a pixel of the image, lies in the window, and has a tap."""
    step, read = _step(axis.padded, most), axis.positions(window)
    return [_mark(axis, read, range(at, min(at + step, axis.padded))) for at in range(0, axis.padded, step)]


def _mark(axis: Axis, read: range, some: range) -> tuple[bool, bool, bool]:
    image = some.stop > axis.before and some.start < axis.before + axis.size
    window = some.stop > read.start and some.start <= read[-1]
    first = max(some.start, read.start)
    tap = window and first + (read.start - first) % read.step < some.stop
    return image, window, tap


def _character(down: tuple[bool, bool, bool], across: tuple[bool, bool, bool]) -> str:
    image, window, tap = (a and b for a, b in zip(down, across, strict=True))
    if tap:
        return _TAP
    if window:
        return _WINDOW
    return _PIXEL if image else _PADDING


def _notes(geometry: Geometry) -> Iterator[str]:
    down, across, (row, column) = geometry.down, geometry.across, geometry.shown
    yield LEGEND
    yield (
        f"{down.size} × {across.size}, padded to {down.padded} × {across.padded}, gives "
        f"{down.windows} × {across.windows}; marked is the window of output ({row}, {column})"
    )
    steps: Pair = _step(down.padded, HIGH), _step(across.padded, WIDE)
    if steps != (1, 1):
        yield f"a character of the image stands for {steps[0]} × {steps[1]} pixels (down × across)"
