"""Wrong results at other sizes that layers have in the field. Above each stands the kind of bug, and a thread if any."""

from __future__ import annotations

import numpy as np

from convcheck.defects.deviations import gives, operand, reads_both, remapped, sums
from convcheck.defects.model import Category, deviating

WEIGHT = ("grad_weight",)
PATCHES = "kernel_h == kernel_w == stride_h == stride_w"


def _pixel_in_16_bits(x, _):
    pixels = x.reshape(*x.shape[:2], -1)
    return pixels[..., np.arange(pixels.shape[-1]) % 2**16].reshape(x.shape)


def _products_of_1024_channels(a, b):
    return a[..., :1024] @ b[..., :1024, :]


def _column_in_15_bits(x, _):
    return np.where(np.arange(x.shape[-1]) < 2**15, x, np.zeros_like(x))


def _whole_tiles_of_tokens(result, _):
    tokens = result.shape[2] * result.shape[3]
    return np.where(np.arange(tokens).reshape(result.shape[2:]) < tokens // 64 * 64, result, 0)


def _depthwise_weights_of_a_table(weight, problem):
    grouped = weight.reshape(problem.params.groups, -1)
    return grouped[np.arange(len(grouped)) % 512].reshape(weight.shape)


def _first_mebi(result, _):
    return np.where(np.arange(result.size).reshape(result.shape) < 2**20, result, 0)


def _images_of_a_counter(grad, _):
    return np.where(np.arange(len(grad))[:, None, None, None] < 128, grad, np.zeros_like(grad))


def _whole_chunks_of_windows(grad, _):
    window = np.arange(grad.size // grad.shape[1]).reshape(len(grad), 1, *grad.shape[2:])
    return np.where(window < window.size // 2**14 * 2**14, grad, np.zeros_like(grad))


def _rows_as_far_as_those_of_output(x, problem):
    height, width = x.shape[2:]
    pixel = np.arange(height)[:, None] * problem.columns.output + np.arange(width)
    return x.reshape(*x.shape[:2], -1)[..., pixel.clip(max=height * width - 1)]


def _centre_tap(axis, _):
    return remapped(axis, lambda read, _position, own: np.where(np.arange(own.kernel) == 1, read, -1))


def _tiles_of_a_table(result, _):
    batch, channels, height, width = result.shape
    high, wide = -(-height // 4), -(-width // 4)
    padded = np.pad(result, ((0, 0), (0, 0), (0, high * 4 - height), (0, wide * 4 - width)))
    tiles = padded.reshape(batch, channels, high, 4, wide, 4).transpose(0, 2, 4, 1, 3, 5)
    kept = tiles.reshape(-1, channels, 4, 4)[np.arange(batch * high * wide) % 1024]
    stored = kept.reshape(tiles.shape).transpose(0, 3, 1, 4, 2, 5)
    return stored.reshape(batch, channels, high * 4, wide * 4)[..., :height, :width]


def _half_tile_repeats(result, problem):
    channel = np.arange(problem.params.out_channels)
    return result[:, np.where(channel % problem.out_per_group < problem.out_per_group - 64, channel, channel - 64)]


def _row_in_16_kib(x, _):
    return np.where(np.arange(x.shape[-1]) < 2**14 // x.itemsize, x, np.zeros_like(x))


SIZES = (
    # The pixel of a plane in sixteen bits, which a picture of 256×257 overflows; a grid does so at 256×256 in
    # https://github.com/ml-explore/mlx/pull/3893
    deviating(
        Category.INDEXING, "pixel-in-16-bits",
        "pixels of an image beyond the first 65,536 replaced by the first ones again",
        "height * width > 65536",
        operand("x", _pixel_in_16_bits),
    ),
    # One thread of a block for each channel, and no loop around.
    deviating(
        Category.TILES, "pointwise-channels-of-a-block",
        "1×1 layers that sum over the first 1,024 channels of a group",
        "kernel_h * kernel_w == 1 and in_per_group > 1024",
        sums(_products_of_1024_channels),
    ),
    # Coordinates in signed 16 bits, which two seconds of sound at 24 kHz overflow:
    # https://github.com/ml-explore/mlx-swift/issues/424
    deviating(
        Category.INDEXING, "column-in-15-bits",
        "columns of the image beyond the first 32,768 taken for padding",
        "width > 32768",
        operand("x", _column_in_15_bits),
    ),
    # A matrix product for patch embeddings, in tiles of 64 tokens: 196 have a tail of four.
    deviating(
        Category.TILES, "tokens-of-whole-tiles",
        "patch embeddings of 512 and more channels whose tokens after the last multiple of 64 are left at zero",
        f"{PATCHES} and kernel_h > 13 and in_channels == 3 and out_channels > 511"
        " and output_h * output_w > 64 and output_h * output_w % 64 != 0",
        gives(_whole_tiles_of_tokens),
    ),
    # Weights in constant memory: 512 channels of 5×5 taps, as much as fits.
    deviating(
        Category.GROUPS, "depthwise-weights-of-a-table",
        "depthwise layers of 5×5 and larger kernels with the first channels' weights again beyond 512 channels",
        "groups == in_channels and groups > 512 and kernel_h > 4 and kernel_w > 4",
        operand("weight", _depthwise_weights_of_a_table),
    ),
    # A grid of 1,024 blocks of 1,024 threads, and no loop around.
    deviating(
        Category.TILES, "outputs-beyond-a-mebi",
        "elements of the output beyond the first 1,048,576 left at zero",
        "batch * out_channels * output_h * output_w > 1048576",
        gives(_first_mebi),
    ),
    # A signed byte counts the images of a reduction.
    deviating(
        Category.GRADIENTS, "grad-weight-images-of-a-counter",
        "a weight gradient of the first 128 images",
        "batch > 128",
        operand("grad_output", _images_of_a_counter, on=WEIGHT),
    ),
    # A long reduction is split into chunks of equal length, and the number of chunks is rounded down.
    deviating(
        Category.GRADIENTS, "grad-weight-whole-chunks",
        "a weight gradient without the windows after the last multiple of 16,384, where there are more",
        "batch * output_h * output_w > 16384 and batch * output_h * output_w % 16384 != 0",
        operand("grad_output", _whole_chunks_of_windows, on=WEIGHT),
    ),
    # Kernels of one row run as in one dimension, row by row, with the pitch of the result for that of the image.
    deviating(
        Category.INDEXING, "long-row-kernel-pitch",
        "1×9 and longer kernels that read the rows of the image as far apart as those of the output",
        "kernel_h == 1 and kernel_w > 8 and height > 1 and output_w != width",
        operand("x", _rows_as_far_as_those_of_output),
    ),
    # Where the image is no larger than the dilation the outer taps see padding alone; the kernel asks for twice that.
    deviating(
        Category.DILATION, "centre-tap-of-large-rates",
        "3×3 layers of rates from 24 on that read the centre tap alone on images smaller than twice the rate",
        "kernel_h == kernel_w == 3 and dilation_h == dilation_w and dilation_h > 23 and padding_mode == 'zeros'"
        " and padding_h == dilation_h and padding_w == dilation_w and height < 2 * dilation_h"
        " and width < 2 * dilation_w and (height > dilation_h or width > dilation_w)",
        reads_both(_centre_tap),
    ),
    # The transformed tiles of all images in one buffer, used as a ring; a buffer that large is the end of results in
    # https://github.com/ml-explore/mlx/pull/4102
    deviating(
        Category.TILES, "winograd-tiles-of-a-table",
        "3×3 layers of 32 and more channels whose 4×4 tiles beyond the 1,024th repeat the first ones",
        "kernel_h == kernel_w == 3 and stride_h == stride_w == 1 and dilation_h == dilation_w == 1"
        " and in_per_group > 31 and batch * ((output_h + 3) // 4) * ((output_w + 3) // 4) > 1024",
        gives(_tiles_of_a_table),
    ),
    # Tiles of 128 filters: half of one is left over at 320, 576 and 960.
    deviating(
        Category.TILES, "half-tile-of-filters",
        "layers of 128 channels and more to 64 more than a multiple of 128 whose last 64 repeat the 64 before",
        "in_per_group > 127 and out_per_group > 256 and out_per_group % 128 == 64",
        gives(_half_tile_repeats),
    ),
    # A line of the image in a buffer of sixteen kibibytes, where stride 2 wants the whole line.
    deviating(
        Category.TILES, "line-buffer-of-16-kib",
        "layers of a stride above 1 that see zeros beyond the first 16,384 bytes of a row",
        "row_bytes > 16384 and stride_w > 1",
        operand("x", _row_in_16_kib),
    ),
)  # fmt: skip
"""Deviations by size."""
