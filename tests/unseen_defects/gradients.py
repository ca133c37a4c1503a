"""Wrong gradients. Above each defect stands the kind of bug, and the thread that reports one where there is one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from convcheck.defects.deviations import gives, only, operand, reads, reads_both, remapped, rounded
from convcheck.defects.model import Category, deviating
from convcheck.defects.problem import compute

DEPTHWISE = "groups == in_channels and in_channels > 1 and out_per_group == 1"
INPUT, WEIGHT, BIAS = ("grad_input",), ("grad_weight",), ("grad_bias",)


def _without_last_column(result, problem):
    grad = np.array(problem.grad_output)
    grad[..., -1] = 0
    short = compute(replace(problem, grad_output=grad), "grad_input")
    block = np.arange(problem.params.in_channels) % problem.in_per_group >= 16
    return np.where(block[:, None, None], short, result)


def _first_half_again(grad, _):
    half = len(grad) // 2
    return np.concatenate([grad[:half], grad[:half]])


def _without_corners(result, problem):
    padding = only(lambda position, own: (position < 0) | (position >= own.size))
    rows, columns = (padding(axis, axis) for axis in (problem.rows, problem.columns))
    return result - compute(replace(problem, rows=rows, columns=columns), "grad_input")


def _within_image(axis, _):
    return remapped(axis, lambda read, position, own: np.where(position[:, -1:] < own.size, read, -1))


def _cropped_from_the_front(axis, _):
    def remap(_read, _position, own):
        extent = (own.kernel - 1) * own.dilation + 1
        left_over = own.size + own.before + own.after - extent - (own.output - 1) * own.stride
        more = left_over // own.dilation
        return replace(own, kernel=own.kernel + more, remaps=()).sources()[:, more:]

    return remapped(axis, remap)


def _last_image_lost(grad, _):
    return np.concatenate([grad[:-1], 0 * grad[-1:]])


def _summed_in_bfloat16(_, problem):
    grad = np.moveaxis(np.asarray(problem.grad_output, np.float64), 1, 0)
    total = np.zeros(len(grad))
    for values in grad.reshape(len(grad), -1).T:
        total = rounded(total + values, "bfloat16")
    return total


DEFECTS = (
    # The right edge of an unrolled row: https://github.com/fujitsu/oneDNN/issues/43
    deviating(
        Category.GRADIENTS, "grad-input-narrow-strided",
        "an input gradient of strided layers on narrow images without the last column of windows, beyond channel 16",
        "stride_w > 1 and in_per_group > 16 and width < 17",
        gives(_without_last_column, on=INPUT),
    ),
    # The offset of a split of the batch: https://github.com/ROCm/rocm-libraries/issues/10627
    deviating(
        Category.GRADIENTS, "grad-input-second-half",
        "an input gradient of grouped layers whose second half of an even batch of four or more is the first again",
        "groups > 1 and batch > 3 and batch % 2 == 0",
        operand("grad_output", _first_half_again, on=INPUT),
    ),
    # The adjoint of padding taken as that of its rows and that of its columns, each without the corners.
    deviating(
        Category.GRADIENTS, "grad-input-replicate-corners",
        "an input gradient in 'replicate' mode without that of the corners of the padding",
        "padding_mode == 'replicate' and padding_h > 0 and padding_w > 0",
        gives(_without_corners, on=INPUT),
    ),
    # Blocks of rows that reach into the padding: https://github.com/uxlfoundation/oneDNN/issues/4124
    deviating(
        Category.GRADIENTS, "grad-weight-depthwise-bottom",
        "a weight gradient of strided depthwise layers without the windows that reach into the padding below",
        f"{DEPTHWISE} and stride_h > 1 and padding_mode == 'zeros'"
        " and (output_h - 1) * stride_h + extent_h > height + padding_h",
        reads(rows=_within_image, on=WEIGHT),
    ),
    # The weight gradient is a convolution whose result is too large where the stride leaves rows over, and is cropped
    # at the wrong end; the right one is discussed in https://github.com/meta-pytorch/opacus/pull/245
    deviating(
        Category.GRADIENTS, "grad-weight-cropped-from-the-front",
        "a weight gradient read from the left-over rows and columns on",
        "left_over_h >= dilation_h or left_over_w >= dilation_w",
        reads_both(_cropped_from_the_front, on=WEIGHT),
    ),
    # A batch split by an integer quotient: https://github.com/ROCm/rocm-libraries/pull/11188
    deviating(
        Category.GRADIENTS, "grad-weight-odd-batch",
        "a weight gradient of 1×1 layers without the last image of an odd batch of three or more",
        "batch > 2 and batch % 2 == 1 and kernel_h == 1 and kernel_w == 1",
        operand("grad_output", _last_image_lost, on=WEIGHT),
    ),
    # A sum in the dtype of its terms: https://github.com/pytorch/pytorch/issues/68048
    deviating(
        Category.PRECISION, "grad-bias-summed-in-bfloat16",
        "a bias gradient of bfloat16 layers summed in bfloat16",
        "dtype == 'bfloat16' and bias and batch * output_h * output_w > 2",
        gives(_summed_in_bfloat16, on=BIAS),
    ),
)  # fmt: skip
"""Deviations of the gradients."""
