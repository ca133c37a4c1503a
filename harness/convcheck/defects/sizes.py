"""Sizes: where a counter, a buffer, a grid or a tile of a kernel ends, at sizes that layers have in the field."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from convcheck.defects.deviations import Array, Quantities, gives, leaves, operand, reads, remapped, sums
from convcheck.defects.model import Category, Defect, deviating
from convcheck.defects.problem import Axis, Indices, Problem

_row = partial(deviating, Category.SIZES)

_INPUT: Final[Quantities] = ("grad_input",)
_WEIGHT: Final[Quantities] = ("grad_weight",)
_BIAS: Final[Quantities] = ("grad_bias",)

Change = Callable[[Array, Problem], Array]
Move = Callable[[Indices, Axis], Any]


def _cut(most: int) -> Change:
    """The elements after so many, in C order, are zero."""

    def change(array: Array, _: Problem) -> Array:
        flat = array.reshape(-1).copy()
        flat[most:] = 0
        return flat.reshape(array.shape)

    return change


def _pixels_cut(most: int) -> Change:
    """In every plane, the pixels after so many are zero."""

    def change(array: Array, _: Problem) -> Array:
        planes = array.reshape(*array.shape[:2], -1).copy()
        planes[..., most:] = 0
        return planes.reshape(array.shape)

    return change


def _in_each_group(most: Callable[[Problem], int], axis: str) -> Callable[[Problem], Any]:
    """Which channels of the input ("in") or output ("out") come after so many of their group."""

    def later(problem: Problem) -> Any:
        total, each = (
            (problem.params.in_channels, problem.in_per_group)
            if axis == "in"
            else (problem.params.out_channels, problem.out_per_group)
        )
        return np.arange(total) % each >= most(problem)

    return later


def _without_channels(most: Callable[[Problem], int]) -> Change:
    later = _in_each_group(most, "in")
    return lambda x, problem: np.where(later(problem)[:, None, None], np.zeros_like(x), x)


def _moved(move: Move) -> Callable[[Axis, Axis], Axis]:
    """Windows and taps read pixels that lie elsewhere, by so much; what falls outside the image is zero."""

    def remap(_read: Indices, position: Indices, own: Axis) -> Indices:
        at = position + move(position, own)
        return np.where((at >= 0) & (at < own.size), at, -1)

    return lambda axis, _: remapped(axis, remap)


def _taps_until(most: int) -> Callable[[Axis, Axis], Axis]:
    return lambda axis, _: remapped(axis, lambda read, _position, own: np.where(np.arange(own.kernel) < most, read, -1))


def _stride_of(most: int) -> Move:
    return lambda position, own: np.arange(len(position))[:, None] * (min(own.stride, most) - own.stride)


def _dilation_in(values: int) -> Move:
    return lambda _, own: np.arange(own.kernel) * (own.dilation % values - own.dilation)


def _padding_of(most: int) -> Move:
    return lambda _, own: max(0, own.before - most)


_ZEROS: Final = "padding_mode == 'zeros'"
_PIXELS: Final = "output_h * output_w"
_TERMS: Final = "in_per_group * kernel_h * kernel_w"

DEFECTS: Final[tuple[Defect, ...]] = (
    _row("columns-in-ten-bits", "columns after 1,024 that repeat those from the first on",
         "output_w > 1024", gives(lambda out, _: out[..., np.arange(out.shape[-1]) % 1024])),
    _row("rows-of-one-band", "rows after the six hundredth left at zero",
         "output_h > 600", leaves(lambda _: (..., slice(600, None), slice(None)))),
    _row("images-of-one-grid", "images after the thousandth left at zero",
         "batch > 1000", leaves(lambda _: slice(1000, None))),
    _row("images-read-again", "images after the three hundredth replaced by the first ones",
         "batch > 300", operand("x", lambda x, _: x[np.arange(len(x)) % 300])),
    _row("filters-of-one-grid", "output channels after 700 left at zero",
         "out_channels > 700", leaves(lambda _: (slice(None), slice(700, None)))),
    _row("bias-in-nine-bits", "biases after 512 taken from the first on",
         "bias and out_channels > 512", operand("bias", lambda b, _: b[np.arange(len(b)) % 512])),
    _row("channels-of-a-buffer", "input channels of a group after 384 not read",
         "in_per_group > 384", operand("x", _without_channels(lambda _: 384))),
    _row("filters-of-groups-in-a-table", "groups after 96 with the filters of the first ones",
         "groups > 96", operand("weight", lambda w, p: w[np.arange(len(w)) % (96 * p.out_per_group)])),
    _row("groups-in-a-byte", "groups after 256 left at zero",
         "groups > 256", leaves(lambda p: (slice(None), slice(256 * p.out_per_group, None)))),
    _row("taps-of-a-buffer", "taps of a filter plane after the hundredth not used",
         "kernel_h * kernel_w > 100", operand("weight", _pixels_cut(100))),
    _row("kernel-rows-unrolled", "rows of the kernel after the eleventh not used",
         "kernel_h > 11", reads(rows=_taps_until(11))),
    _row("kernel-columns-unrolled", "columns of the kernel after the twentieth not used",
         "kernel_w > 20", reads(columns=_taps_until(20))),
    _row("wide-strides-short", "windows that move by at most twelve columns",
         f"stride_w > 12 and output_w > 1 and {_ZEROS}", reads(columns=_moved(_stride_of(12)))),
    _row("high-strides-short", "windows that move by at most twenty rows",
         f"stride_h > 20 and output_h > 1 and {_ZEROS}", reads(rows=_moved(_stride_of(20)))),
    _row("padding-in-five-bits", "more than 31 rows of padding taken as 31 above the image",
         f"padding_h > 31 and {_ZEROS}", reads(rows=_moved(_padding_of(31)))),
    _row("dilation-in-four-bits", "dilations of sixteen columns and more without their upper bits",
         f"dilation_w > 15 and kernel_w > 1 and {_ZEROS}", reads(columns=_moved(_dilation_in(16)))),
    _row("kernel-beyond-a-cache", "kernels that span more than four hundred rows without what lies beyond",
         "(kernel_h - 1) * dilation_h > 400",
         reads(rows=lambda axis, _: remapped(
             axis, lambda read, _p, own: np.where(np.arange(own.kernel) * own.dilation <= 400, read, -1)))),
    _row("sums-of-one-block", "products after the three thousandth not summed",
         f"{_TERMS} > 3000", sums(lambda a, b: np.asarray(a[..., :3000] @ b[..., :3000, :]))),
    _row("pixels-of-one-launch", "pixels of an output plane after 5,000 left at zero",
         f"{_PIXELS} > 5000", gives(_pixels_cut(5000))),
    _row("image-in-14-bits", "pixels of an image after 16,384 read from its beginning",
         "height * width > 16384",
         operand("x", lambda x, _: x.reshape(*x.shape[:2], -1)[..., np.arange(x.shape[2] * x.shape[3]) % 16384]
                 .reshape(x.shape))),
    _row("input-of-one-copy", "elements of the input after 100,000 not copied",
         "batch * in_channels * height * width > 100000", operand("x", _cut(100_000))),
    _row("weights-of-one-copy", "weights after 50,000 not copied",
         f"out_channels * {_TERMS} > 50000", operand("weight", _cut(50_000))),
    _row("output-of-one-store", "elements of the output after 200,000 not stored",
         f"batch * out_channels * {_PIXELS} > 200000", gives(_cut(200_000))),
    _row("columns-of-one-workspace", "the last row left at zero where the columns outgrow the workspace",
         f"groups * {_TERMS} * {_PIXELS} > 400000", leaves(lambda _: (..., -1, slice(None)))),
    _row("deep-images-short-of-a-channel", "the last channel of a group not read for many channels and pixels",
         f"in_per_group > 48 and {_PIXELS} > 150", operand("x", _without_channels(lambda p: p.in_per_group - 1))),
    _row("deep-batches-short-of-an-image", "the last of many images of many channels left at zero",
         "in_per_group > 40 and batch > 12", leaves(lambda _: -1)),
    _row("filter-tail-of-many-pixels", "filters after the last multiple of 32 left at zero over many pixels",
         f"out_per_group > 96 and out_per_group % 32 > 0 and {_PIXELS} > 32",
         leaves(lambda p: (slice(None), _in_each_group(lambda q: q.out_per_group // 32 * 32, "out")(p)))),
    _row("channel-tail-of-many-filters", "channels after the last multiple of 32 not read for many filters",
         "in_per_group > 96 and in_per_group % 32 > 0 and out_per_group > 96",
         operand("x", _without_channels(lambda p: p.in_per_group // 32 * 32))),
    _row("work-of-one-queue", "the last filter left at zero after ten million multiply-adds",
         f"batch * out_channels * {_PIXELS} * {_TERMS} > 10000000", leaves(lambda _: (slice(None), -1))),
    _row("grad-input-of-many-groups", "input gradients of groups after the twentieth left at zero",
         "groups > 20 and in_per_group > 1", leaves(lambda p: (slice(None), slice(20 * p.in_per_group, None)), _INPUT)),
    _row("grad-input-of-wide-images", "input gradients of columns after 700 left at zero",
         "width > 700", leaves(lambda _: (..., slice(700, None)), _INPUT)),
    _row("grad-weight-of-many-images", "weight gradients of the first ninety images",
         "batch > 90", operand("grad_output", lambda g, _: np.where(
             np.arange(len(g))[:, None, None, None] < 90, g, np.zeros_like(g)), _WEIGHT)),
    _row("grad-weight-of-many-pixels", "weight gradients of the first 3,000 pixels of each image",
         f"{_PIXELS} > 3000", operand("grad_output", _pixels_cut(3000), _WEIGHT)),
    _row("grad-bias-of-many-filters", "bias gradients after 450 left at zero",
         "bias and out_channels > 450", leaves(lambda _: slice(450, None), _BIAS)),
)  # fmt: skip
