"""Where a layer reads: an axis at a time, for all of a convolution's geometry is separable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from convcheck_reference.params import Conv2dParams, PaddingMode, Pair

_FEW: Final = 3
"""Windows along each axis that an example shows at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis of a layer on an image.

    Attributes:
        size: pixels of the image.
        before: pixels of padding above it, or to the left.
        after: pixels of padding below it, or to the right.
        taps: of the kernel.
        stride: from one window to the next.
        dilation: from one tap to the next.
        mode: what the padding reads.
    """

    size: int
    before: int
    after: int
    taps: int
    stride: int
    dilation: int
    mode: PaddingMode

    @property
    def padded(self) -> int:
        """Pixels with the padding."""
        return self.before + self.size + self.after

    @property
    def extent(self) -> int:
        """Pixels that a window spans."""
        return self.dilation * (self.taps - 1) + 1

    @property
    def windows(self) -> int:
        """How many there are, which is the size of the output."""
        return (self.padded - self.extent) // self.stride + 1

    @property
    def left_over(self) -> int:
        """Padded pixels behind the last window, which nothing reads."""
        return self.padded - self.start(self.windows - 1) - self.extent

    def start(self, window: int) -> int:
        """The first padded pixel of a window."""
        return window * self.stride

    def positions(self, window: int) -> range:
        """The padded pixels that a window reads."""
        first = self.start(window)
        return range(first, first + self.extent, self.dilation)

    def source(self, position: int) -> int | None:
        """The pixel of the image that a padded pixel holds; None where that is a zero."""
        at = position - self.before
        if 0 <= at < self.size:
            return at
        if self.mode == "replicate":
            return min(max(at, 0), self.size - 1)
        if self.mode == "circular":
            return at % self.size
        if self.mode == "reflect":
            return -at if at < 0 else 2 * (self.size - 1) - at
        return None


@dataclass(frozen=True, slots=True)
class Geometry:
    """A layer on an image: its two axes, and the windows that a picture shows.

    Attributes:
        down: over the rows.
        across: over the columns.
        shown: the window whose taps are drawn, by its place in the output.
        others: windows of which the outline is drawn.
    """

    down: Axis
    across: Axis
    shown: Pair = (0, 0)
    others: tuple[Pair, ...] = ()

    @classmethod
    def of(cls, params: Conv2dParams, size: Pair, shown: Pair | None = None) -> Geometry:
        """The geometry of a layer on an image.

        Args:
            params: the layer, which takes the image.
            size: of the image.
            shown: a window, by its place in the output; None for the first one, its neighbours and the last one.
        """
        down, across = axes(params, size)
        if shown is not None:
            return cls(down, across, shown)
        last = down.windows - 1, across.windows - 1
        near = (0, min(1, last[1])), (min(1, last[0]), 0), last
        return cls(down, across, (0, 0), tuple(dict.fromkeys(window for window in near if window != (0, 0))))


def axes(params: Conv2dParams, size: Pair) -> tuple[Axis, Axis]:
    """Both axes of a layer on an image."""
    down, across = (
        Axis(size=n, before=before, after=after, taps=k, stride=s, dilation=d, mode=params.padding_mode)
        for n, (before, after), k, s, d in zip(
            size, params.padding, params.kernel_size, params.stride, params.dilation, strict=True
        )
    )
    return down, across


def example_size(params: Conv2dParams) -> Pair:
    """The size of a small image that a layer takes and that shows what each of its parameters does."""
    down, across = (
        max(extent + (_FEW - 1) * stride - before - after, before + 1, after + 1)
        for extent, stride, (before, after) in zip(params.extent, params.stride, params.padding, strict=True)
    )
    return down, across
