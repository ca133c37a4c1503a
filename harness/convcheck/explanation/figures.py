"""The pictures of a layer, each with what it shows."""

from __future__ import annotations

from dataclasses import dataclass

from convcheck.explanation.geometry import Axis, Geometry
from convcheck.explanation.svg import groups_svg, input_svg, kernel_svg, output_svg, shows_taps, to_scale
from convcheck_reference.params import Conv2dParams, Pair, Shape


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture and its caption.

    Attributes:
        svg: inline SVG of our own numbers and words.
        caption: what it shows.
    """

    svg: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """What is marked as wrong in a picture.

    Attributes:
        output: cells of the output.
        image: pixels of the image.
        taps: of the kernel.
        index: of the worst element, as the case has it.
    """

    output: tuple[Pair, ...] = ()
    image: tuple[Pair, ...] = ()
    taps: tuple[Pair, ...] = ()
    index: Shape = ()

    @property
    def words(self) -> str:
        """What is red."""
        return f"red: the worst element, {self.index}"


def figures(params: Conv2dParams, size: Pair, wrong: Wrong | None = None) -> tuple[Figure, ...]:
    """The image with the windows on it, the output, and where there are some, the groups.

    Args:
        params: the layer.
        size: of an image that it takes.
        wrong: what is marked; None to explain the layer, with the windows beside the first one.
    """
    groups = [_groups(params)] if params.groups > 1 else []
    if wrong is None:
        geometry = Geometry.of(params, size)
        return _input(geometry), *_enlarged(params, geometry), _output(geometry), *groups
    geometry = Geometry.of(params, size, wrong.output[0] if wrong.output else (0, 0))
    taps = [Figure(kernel_svg(params, wrong.taps), f"The kernel; {wrong.words}")] if wrong.taps else []
    return _input(geometry, wrong), *_enlarged(params, geometry), *taps, _output(geometry, wrong), *groups


def _input(geometry: Geometry, wrong: Wrong | None = None) -> Figure:
    wrong = wrong or Wrong()
    down, across = geometry.down, geometry.across
    said = [f"Image of {down.size} × {across.size}{_padded(down, across)}", _window(geometry)]
    if geometry.others:
        said.append("dashed: its neighbours across and down, a stride apart, and the last window")
    if wrong.image:
        said.append(wrong.words)
    if not to_scale(down.padded, across.padded):
        said.append("not to one scale")
    return Figure(input_svg(geometry, wrong.image), "; ".join(said))


def _enlarged(params: Conv2dParams, geometry: Geometry) -> list[Figure]:
    """The window by itself, where its taps are too small to be seen on the image."""
    window = Geometry.of(_unpadded(params), params.extent)
    if shows_taps(geometry) or not shows_taps(window):
        return []
    (kh, kw), (high, wide) = params.kernel_size, params.extent
    return [Figure(input_svg(window), f"The window enlarged: {kh} × {kw} taps on {high} × {wide} pixels")]


def _unpadded(params: Conv2dParams) -> Conv2dParams:
    return Conv2dParams(1, 1, params.kernel_size, dilation=params.dilation)


def _padded(down: Axis, across: Axis) -> str:
    padded = down.padded, across.padded
    if padded == (down.size, across.size):
        return ", not padded"
    return f", grey: padded to {padded[0]} × {padded[1]} ({down.mode})"


def _window(geometry: Geometry) -> str:
    down, across, (row, column) = geometry.down, geometry.across, geometry.shown
    reads = "blue: the pixels that the window of output"
    return f"{reads} ({row}, {column}) reads, {' × '.join(_taps(axis) for axis in (down, across))}"


def _taps(axis: Axis) -> str:
    return str(axis.taps) if axis.dilation == 1 else f"{axis.taps} of {axis.extent}"


def _output(geometry: Geometry, wrong: Wrong | None = None) -> Figure:
    wrong = wrong or Wrong()
    said = f"Output of {geometry.down.windows} × {geometry.across.windows}, a cell for each window"
    marked = wrong.words if wrong.output else "blue: what the blue window gives"
    return Figure(output_svg(geometry, wrong.output), f"{said}; {marked}")


def _groups(params: Conv2dParams) -> Figure:
    ins, outs = params.in_channels // params.groups, params.out_channels // params.groups
    said = f"Channels (left) and filters (right): {params.groups} groups, each of {ins} channels and {outs} filters"
    return Figure(groups_svg(params), said)
