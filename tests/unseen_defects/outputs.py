"""Wrong outputs. Above each defect stands the kind of bug, and the thread that reports one where there is one."""

from __future__ import annotations

import numpy as np

from convcheck.defects.deviations import gives, operand, reads, remapped, sums
from convcheck.defects.model import Category, deviating
from convcheck_reference.padding import source_index

DEPTHWISE = "groups == in_channels and in_channels > 1"
POINTWISE = "kernel_h == 1 and kernel_w == 1"
THREE_BY_THREE = (
    "kernel_h == 3 and kernel_w == 3 and stride_h == 1 and stride_w == 1 and dilation_h == 1 and dilation_w == 1"
)


def _first_step_dilated(axis, _):
    def remap(_read, position, own):
        taps = np.arange(own.kernel)
        steps = np.where(taps > 1, own.dilation + taps - 1, taps * own.dilation)
        padded = source_index(own.size, (own.before, own.after), own.mode)
        return padded[position - taps * own.dilation + steps + own.before]

    return remapped(axis, remap)


def _rounded_up(a, b):
    length = -(-a.shape[-1] // 32) * 32

    def rows(matrix):
        *batch, count, width = matrix.shape
        flat = np.concatenate([matrix.reshape(*batch, -1), np.zeros((*batch, 32))], -1)
        return flat[..., np.arange(count)[:, None] * width + np.arange(length)]

    return rows(a) @ rows(b.swapaxes(-1, -2)).swapaxes(-1, -2)


def _last_tiles_repeat(result, _):
    batch, channels, height, width = result.shape
    high, wide = -(-height // 4), -(-width // 4)
    padded = np.pad(result, ((0, 0), (0, 0), (0, high * 4 - height), (0, wide * 4 - width)))
    tiles = padded.reshape(batch, channels, high, 4, wide, 4).swapaxes(3, 4).reshape(batch, channels, -1, 4, 4)
    first, rest = high * wide // 8 * 8, high * wide % 8 - 4
    tiles[:, :, first + 4 :] = tiles[:, :, first : first + rest]
    stored = tiles.reshape(batch, channels, high, wide, 4, 4).swapaxes(3, 4)
    return stored.reshape(batch, channels, high * 4, wide * 4)[..., :height, :width]


def _last_planes_left(result, _):
    planes = result.reshape(-1, *result.shape[2:]).copy()
    planes[len(planes) // 8 * 8 :] = 0.0
    return planes.reshape(result.shape)


def _in_every_split(result, problem):
    return result + np.asarray(problem.bias, np.float64)[:, None, None]


def _clamped(result, _):
    body = np.arange(result.shape[-1]) < result.shape[-1] // 4 * 4
    return np.where(np.isnan(result) & body, -np.inf, result)


def _stored_channels_last(result, _):
    return result.transpose(0, 2, 3, 1).reshape(result.shape)


def _offset_in_16_bits(weight, _):
    return weight.reshape(-1)[np.arange(weight.size) % 2**16].reshape(weight.shape)


def _offset_twice(weight, _):
    if weight.flags.c_contiguous or min(weight.strides) <= 0:
        return weight
    copied = np.append(weight.reshape(-1), weight.dtype.type(0))
    return copied[1:].reshape(weight.shape)


DEFECTS = (
    # A running pointer: only its first step over the rows of the kernel is dilated. Channels and kernel rows are one
    # loop where there are few channels, as in https://github.com/ROCm/MIOpen/issues/2624
    deviating(
        Category.DILATION, "few-channels-later-rows",
        "layers of up to four channels whose kernel rows after the second follow undilated",
        "in_channels <= 4 and groups == 1 and kernel_h > 2 and dilation_h > 1",
        reads(rows=_first_step_dilated),
    ),
    # A vector length rounded up past the end of the row: https://github.com/ggml-org/ggml/pull/274
    deviating(
        Category.TILES, "patch-embedding-rounded-up",
        "patch embeddings whose sums are rounded up to 32 products, with those of the next filter and window",
        "kernel_h == stride_h and kernel_w == stride_w and kernel_h > 1 and kernel_w > 1 and groups == 1"
        " and dilation_h == 1 and dilation_w == 1 and padding_h == 0 and padding_w == 0 and out_channels > 1"
        " and output_h * output_w > 1 and in_channels * kernel_h * kernel_w % 32 != 0",
        sums(_rounded_up),
    ),
    # The remainder of a loop over Winograd tiles, taken by fours: https://github.com/Tencent/TNN/issues/394
    deviating(
        Category.TILES, "winograd-tiles-beyond-four",
        "3×3 layers whose 4×4 tiles beyond the fourth of the last eight repeat those four before",
        f"{THREE_BY_THREE} and groups == 1 and (output_h + 3) // 4 * ((output_w + 3) // 4) % 8 > 4",
        gives(_last_tiles_repeat),
    ),
    # The partition of work over threads: each has an equal share, and the rest is nobody's.
    deviating(
        Category.TILES, "planes-after-threads-share",
        "the output planes that eight threads cannot share equally left at zero, where there are more than 64",
        "batch * out_channels > 64 and batch * out_channels % 8 != 0",
        gives(_last_planes_left),
    ),
    # Split-K: every part of a long sum begins with the bias.
    deviating(
        Category.BIAS, "bias-in-every-split",
        "the bias added twice where the sums are long and the output is small enough to split them in two",
        "bias and in_per_group * kernel_h * kernel_w >= 256 and output_h * output_w <= 64",
        gives(_in_every_split),
    ),
    # The bias is added to the buffer before the unwanted part is sliced off, and the slice was made first:
    # https://github.com/microsoft/onnxruntime/pull/15050
    deviating(
        Category.BIAS, "bias-lost-with-uneven-same",
        "no bias where 'same' pads more at one end than at the other",
        "bias and padding_same and (pad_bottom != padding_h or pad_right != padding_w)",
        operand("bias", lambda bias, _: 0 * bias),
    ),
    # Clamping by vector maximum, which takes the bound for NaN: https://github.com/uxlfoundation/oneDNN/pull/5370
    deviating(
        Category.SPECIAL, "nan-clamped-in-vectors",
        "depthwise layers that give −Inf for NaN in the columns that fill vectors of four",
        f"{DEPTHWISE} and output_w > 3",
        gives(_clamped),
        "values == 'special' or values == 'overflow'",
    ),
    # With one channel both orders of memory are one, so the kernel for channels_last takes the call; its result is
    # then handed back as contiguous.
    deviating(
        Category.LAYOUT, "one-channel-as-channels-last",
        "the result for an image of one channel written channels_last, but not so described",
        "in_channels == 1 and out_channels > 1 and output_h * output_w > 1",
        gives(_stored_channels_last),
    ),
    # A slice is copied to be contiguous, and then read from where the slice began:
    # https://github.com/huggingface/candle/pull/3736
    deviating(
        Category.LAYOUT, "pointwise-slice-offset-twice",
        "the weight of a 1×1 layer, where it is a slice, copied and then read from the second element",
        f"{POINTWISE} and out_channels * in_per_group > 1",
        operand("weight", _offset_twice),
        "layout_weight == 'sliced'",
    ),
    # Offsets in sixteen bits, as packed kernels keep them.
    deviating(
        Category.INDEXING, "weight-offset-in-16-bits",
        "weights beyond the first 65536 replaced by the first ones again",
        "out_channels * in_per_group * kernel_h * kernel_w > 65536",
        operand("weight", _offset_in_16_bits),
    ),
)  # fmt: skip
"""Deviations of the output."""
