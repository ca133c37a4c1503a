"""Axes on which kernels take another path: choices of size, kernel, stride, padding and dilation that meet an edge."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from convcheck.strategies import layers
from convcheck.strategies.draws import Draw, pick
from convcheck.strategies.layers import Axis

Axes: TypeAlias = Callable[[Draw], tuple[Axis, Axis]]
Some: TypeAlias = tuple[int, ...]


def both(one: Callable[[Draw], Axis]) -> Axes:
    """Two axes alike."""
    return lambda draw: (one(draw), one(draw))


def either(special: Callable[[Draw], Axis], other: Callable[[Draw], Axis]) -> Axes:
    """One axis special and the other not, or the other way round."""

    def build(draw: Draw) -> tuple[Axis, Axis]:
        pair = special(draw), other(draw)
        return pair if draw(0, 1) == 0 else pair[::-1]

    return build


def sized(
    size: Some, kernel: Some, stride: Some = (1,), padding: Some = (0,), dilation: Some = (1,)
) -> Callable[[Draw], Axis]:
    """Axes of given sizes: every combination has to be legal."""
    return lambda draw: Axis(*(pick(draw, values) for values in (size, kernel, stride, padding, dilation)))


def fitting(kernel: Some, stride: Some = (1,), padding: Some = (0,), dilation: Some = (1,)) -> Callable[[Draw], Axis]:
    """Axes on images that are just large enough, or larger."""
    return lambda draw: layers.fitting(
        draw, pick(draw, kernel), pick(draw, stride), pick(draw, dilation), pick(draw, padding)
    )


def output_of_one(draw: Draw) -> Axis:
    """One window, with or without pixels left over."""
    kernel, stride, dilation = pick(draw, (1, 3, 2, 5)), pick(draw, (2, 3, 5)), pick(draw, (1, 2))
    extent = dilation * (kernel - 1) + 1
    padding = draw(0, min(1, (extent - 1) // 2))
    return Axis(extent - 2 * padding + draw(0, stride - 1), kernel, stride, padding, dilation)


def kernel_as_image(draw: Draw) -> Axis:
    """The kernel covers the image."""
    size = draw(2, 9)
    return Axis(size, size, pick(draw, (1, 2)))


def kernel_as_image_in_padding(draw: Draw) -> Axis:
    """The kernel covers the image, with padding around it, dilated or not; one window."""
    size, dilation = draw(2, 6), pick(draw, (1, 2))
    extent = dilation * (size - 1) + 1
    padding = max(1, (extent - size + 1) // 2)
    return Axis(size, size, size + 2 * padding - extent + draw(1, 2), padding, dilation)


def kernel_as_padded_image(draw: Draw) -> Axis:
    """The kernel covers the padded image."""
    size, padding = draw(1, 6), draw(1, 3)
    return Axis(size, size + 2 * padding, pick(draw, (1, 2)), padding)


def kernel_beyond_image(draw: Draw) -> Axis:
    """The kernel is larger than the image, and smaller than the padded one."""
    size, padding = draw(1, 5), draw(2, 4)
    return Axis(size, size + draw(1, 2 * padding - 1), pick(draw, (1, 1, 2)), padding)


def dilation_beyond_image(draw: Draw) -> Axis:
    """A tap to the left and one to the right of it only ever read padding."""
    size, kernel = draw(1, 5), pick(draw, (2, 3))
    dilation = size + draw(0, 2)
    return Axis(size, kernel, pick(draw, (1, 2)), dilation, dilation)


def reflect_at_most(draw: Draw) -> Axis:
    """All but one pixel reflected."""
    size = draw(2, 7)
    return Axis(size, pick(draw, (3, 2, 1, 4)), pick(draw, (1, 2)), size - 1)


def circular_at_most(draw: Draw) -> Axis:
    """All pixels wrapped around."""
    size = draw(2, 7)
    return Axis(size, pick(draw, (3, 2, 1, 4)), pick(draw, (1, 2)), size)


def unequal_padding(mode: str) -> Axes:
    """One axis padded more than the other."""

    def build(draw: Draw) -> tuple[Axis, Axis]:
        first, more = draw(0, 2), draw(1, 2)
        pair = tuple(
            layers.fitting(draw, pick(draw, (3, 2, 5)), pick(draw, (1, 2)), pick(draw, (2, 1, 3)), padding, mode)
            for padding in (first, first + more)
        )
        return (pair[0], pair[1]) if draw(0, 1) == 0 else (pair[1], pair[0])

    return build


def same(kernels: Some, dilations: Some) -> Callable[[Draw], Axis]:
    """Axes for padding="same"."""

    def build(draw: Draw) -> Axis:
        kernel, dilation = pick(draw, kernels), pick(draw, dilations)
        return Axis(draw(1, 12), kernel, 1, (dilation * (kernel - 1) + 1) // 2, dilation)

    return build


def near_a_vector(draw: Draw) -> tuple[Axis, Axis]:
    """Rows of 31, 33, 63 or 65 outputs."""
    width, kernel = pick(draw, (31, 33, 63, 65)), pick(draw, (1, 3, 5))
    return layers.fitting(draw, pick(draw, (1, 3)), 1, 1, 0), Axis(width, kernel, 1, kernel // 2)
