"""Wrong results at sizes that layers have in the field. Above each defect stands the kind of bug, and a thread if any.

Each hangs on another quantity: where a counter, a register, a tile or a buffer of the kernel ends.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from convcheck.defects.deviations import gives, leaves, operand, reads, reads_both, remapped
from convcheck.defects.model import Category, deviating
from convcheck.defects.problem import compute
from convcheck_reference.padding import source_index

INPUT = ("grad_input",)


def _columns_in_a_byte(result, _):
    return result[..., np.arange(result.shape[-1]) % 256]


def _planes_beyond_the_grid(result, _):
    planes = result.copy().reshape(-1, *result.shape[2:])
    planes[2**16 - 1 :] = 0
    return planes.reshape(result.shape)


def _tiles_of_sixteen_windows(axis, _):
    def remap(read, _position, _own):
        read = read.copy()
        read[15::16, -1] = -1
        return read

    return remapped(axis, remap)


def _last_tile_short(result, problem):
    kept = np.arange(problem.params.in_channels) % problem.in_per_group < problem.in_per_group - 32
    x = np.where(kept[:, None, None], problem.x, np.zeros_like(problem.x))
    pixel = np.arange(result.size // result.shape[1]).reshape(len(result), 1, *result.shape[2:])
    return np.where(pixel < pixel.size // 128 * 128, result, compute(replace(problem, x=x), "output"))


def _bias_in_first_strip(result, problem):
    pixel = np.arange(result.shape[2] * result.shape[3]).reshape(result.shape[2:])
    without = compute(replace(problem, bias=None), "output")
    return np.where(pixel < 2**19 // problem.params.fan_in, result, without)


def _taps_of_a_mask(axis, _):
    return remapped(axis, lambda read, _position, own: np.where(np.arange(own.kernel) < 32, read, -1))


def _offset_in_a_signed_byte(axis, _):
    def remap(_read, position, own):
        offset = np.arange(own.kernel) * own.dilation
        at = position - offset + (offset + 128) % 256 - 128 + own.before
        inside = (at >= 0) & (at < own.before + own.size + own.after)
        return np.where(inside, source_index(own.size, (own.before, own.after), own.mode)[np.where(inside, at, 0)], -1)

    return remapped(axis, remap)


def _bands_without_halo(axis, _):
    def remap(read, position, own):
        band = np.maximum(position[:, :1], 0) // 512
        return np.where((position < 0) | (position >= own.size) | (position // 512 == band), read, -1)

    return remapped(axis, remap)


def _groups_of_a_block(weight, problem):
    grouped = weight.reshape(problem.params.groups, -1)
    return grouped[np.arange(len(grouped)) % 64].reshape(weight.shape)


SIZES = (
    # A column index kept in a byte beside the row index, as packed offsets are.
    deviating(
        Category.INDEXING, "columns-in-a-byte",
        "columns of the output beyond the first 256 replaced by the first ones again",
        "output_w > 256",
        gives(_columns_in_a_byte),
    ),
    # The second and third dimension of a CUDA grid end at 65,535, and one block has one plane:
    # https://github.com/tensorflow/tensorflow/issues/9870
    deviating(
        Category.INDEXING, "planes-beyond-the-grid",
        "planes of the output beyond the first 65,535 left at zero",
        "batch * out_channels > 65535",
        gives(_planes_beyond_the_grid),
    ),
    # A kernel written for the first layer of one network: a tile of 16 windows loads one column too few.
    deviating(
        Category.TILES, "stem-tile-one-column-short",
        "7×7 layers of stride 2 from three channels to whole blocks of 64 whose every 16th column lacks its last tap",
        "in_channels == 3 and out_channels % 64 == 0 and kernel_h == kernel_w == 7 and stride_h == stride_w == 2"
        " and output_w > 15",
        reads(columns=_tiles_of_sixteen_windows),
    ),
    # A tile of the implicit matrix product that is not full leaves its loop over channels one step early.
    deviating(
        Category.TILES, "last-tile-short-of-channels",
        "3×3 layers of 64 and more channels without the last 32 of them in the last tile of 128 pixels",
        "kernel_h == kernel_w == 3 and in_per_group > 63 and in_per_group % 32 == 0 and out_per_group > 63"
        " and batch * output_h * output_w > 128 and batch * output_h * output_w % 128 != 0",
        gives(_last_tile_short),
    ),
    # The columns of a window matrix that is too large for its buffer are made in strips.
    deviating(
        Category.BIAS, "bias-in-first-strip",
        "no bias beyond the pixels whose windows fill a buffer of 524,288 elements",
        "bias and in_per_group * kernel_h * kernel_w * output_h * output_w > 524288",
        gives(_bias_in_first_strip),
    ),
    # Which taps of a row lie inside the image is kept in a mask of 32 bits.
    deviating(
        Category.INDEXING, "taps-of-a-mask",
        "the taps of a row beyond the 32nd not read",
        "kernel_w > 32",
        reads(columns=_taps_of_a_mask),
    ),
    # Offsets of taps in a table of signed bytes.
    deviating(
        Category.DILATION, "tap-offset-in-a-signed-byte",
        "taps 128 and more columns from the first read 256 further left",
        "(kernel_w - 1) * dilation_w > 127",
        reads(columns=_offset_in_a_signed_byte),
    ),
    # A field of a descriptor: patches of 32 pixels are as far apart as it cannot say.
    deviating(
        Category.STRIDE, "stride-in-five-bits",
        "strides modulo 32",
        "stride_h > 31 and output_h > 1 or stride_w > 31 and output_w > 1",
        reads_both(lambda axis, _: replace(axis, stride=axis.stride % 32)),
    ),
    # Another field, with a sign.
    deviating(
        Category.PADDING, "padding-in-seven-bits",
        "padding with zeros above and to the left modulo 128",
        "padding_mode == 'zeros' and (padding_h > 127 or padding_w > 127)",
        reads_both(lambda axis, _: replace(axis, before=axis.before % 128)),
    ),
    # A block of 1,024 threads, each with two filters, and no loop around.
    deviating(
        Category.TILES, "filters-beyond-two-a-thread",
        "output channels beyond the first 2,048 replaced by the first ones again",
        "out_channels > 2048",
        gives(lambda result, _: result[:, np.arange(result.shape[1]) % 2048]),
    ),
    # An image that is too high for on-chip memory is cut into bands, which do not overlap.
    deviating(
        Category.TILES, "bands-without-halo",
        "windows that reach into the next band of 512 rows see zeros there",
        "height > 512 and extent_h > 1",
        reads(rows=_bands_without_halo),
    ),
    # One bit of a 64-bit mask, or one lane, for each group.
    deviating(
        Category.GROUPS, "grad-input-groups-of-a-block",
        "an input gradient with the first groups' weights again beyond 64 groups of several channels",
        "groups > 64 and in_per_group > 1",
        operand("weight", _groups_of_a_block, on=INPUT),
    ),
    # Shares of work computed in float32, which has no odd numbers beyond 2²⁴.
    deviating(
        Category.TILES, "work-shared-out-in-float32",
        "the last window of the last image left at zero in layers of more than 2²⁴ products",
        "batch * out_channels * output_h * output_w * in_per_group * kernel_h * kernel_w > 16777216",
        leaves(lambda _: (-1, slice(None), -1, -1)),
    ),
)  # fmt: skip
"""Deviations by size."""
