"""Wrong results of a third set. Above each defect stands the kind of bug, and the thread that reports one, if any."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from convcheck.defects.deviations import gives, only, operand, reads_both, rounded, sums, takes
from convcheck.defects.model import Category, deviating
from convcheck.defects.problem import compute
from convcheck_reference.padding import source_index
from convcheck_reference.params import Conv2dParams

INPUT, WEIGHT, BIAS = ("grad_input",), ("grad_weight",), ("grad_bias",)
PLAIN = "groups == 1 and stride_h == 1 and stride_w == 1 and dilation_h == 1 and dilation_w == 1"


def _channel_of_first_lane(problem):
    out = problem.params.out_channels
    arguments = replace(problem.params.arguments, in_channels=out, groups=out)
    channel = np.arange(out) // 4 * 4 // problem.out_per_group
    return replace(problem, params=Conv2dParams.of(arguments), x=problem.x[:, channel])


def _padded_by_rows_or_columns(_, problem):
    inside = only(lambda position, own: (position >= 0) & (position < own.size))
    outside = only(lambda position, own: (position < 0) | (position >= own.size))
    rows, columns = problem.rows, problem.columns
    between = compute(replace(problem, rows=inside(rows, columns)), "output")
    beyond = replace(problem, rows=outside(rows, columns), columns=inside(columns, rows), bias=None)
    return between + compute(beyond, "output")


def _first_256_taps(weight, _):
    cut = np.array(weight, np.float64).reshape(*weight.shape[:2], -1)
    cut[..., 256:] = 0
    return cut.reshape(weight.shape)


def _by_fft(_, problem):
    zero = np.pad(np.asarray(problem.x, np.float32), ((0, 0), (0, 0), (0, 1), (0, 1)))
    rows, columns = (
        source_index(axis.size, (axis.before, axis.after), axis.mode) for axis in (problem.rows, problem.columns)
    )
    image = zero[:, :, rows[:, None], columns]
    size = image.shape[2:]
    kernel = np.fft.rfft2(np.asarray(problem.weight, np.float32), s=size).conj()
    product = np.einsum("nchw,ochw->nohw", np.fft.rfft2(image), kernel)
    output = np.fft.irfft2(product, s=size)[..., : problem.rows.output, : problem.columns.output]
    return output if problem.bias is None else output + np.asarray(problem.bias, np.float64)[:, None, None]


def _in_float32(a, b):
    return (a.astype(np.float32) @ b.astype(np.float32)).astype(np.float64)


def _four_lanes(problem):
    arguments = replace(problem.params.arguments, kernel_size=(problem.rows.kernel, 4))
    return replace(
        problem,
        params=Conv2dParams.of(arguments),
        columns=replace(problem.columns, kernel=4),
        weight=np.pad(np.asarray(problem.weight, np.float64), ((0, 0), (0, 0), (0, 0), (0, 1))),
    )


def _of_first_group(result, problem):
    first = result[:, : problem.in_per_group]
    return np.concatenate([first] * problem.params.groups, axis=1)


def _padding_not_negative(axis, _):
    return replace(axis, before=min(axis.before, (axis.kernel - 1) * axis.dilation))


def _in_memory_order(weight, _):
    return weight.ravel(order="K").reshape(weight.shape) if min(weight.strides) > 0 else weight


def _written_with_strides_of_x(result, problem):
    for axis, (size, stride) in enumerate(zip(problem.x.shape, problem.x.strides, strict=True)):
        if size > 1 and stride == 0:
            result = np.broadcast_to(np.take(result, [-1], axis), result.shape)
    return result


def _flushed(grad, _):
    return np.where(np.abs(grad) < np.finfo(np.float16).tiny, np.float16(0), grad)


def _added_to_bfloat16(_, problem):
    total = np.zeros(problem.params.weight_shape)
    for image in range(problem.batch):
        one = slice(image, image + 1)
        alone = replace(problem, x=problem.x[one], grad_output=problem.grad_output[one])
        total = rounded(total + compute(alone, "grad_weight"), "bfloat16")
    return total


def _first_1024(_, problem):
    grad = np.moveaxis(np.asarray(problem.grad_output, np.float64), 1, 0)
    return grad.reshape(len(grad), -1)[:, :1024].sum(axis=1)


DEFECTS = (
    # Vectors of four output channels that span two input channels, where a depthwise layer has a multiplier:
    # https://github.com/ARM-software/ComputeLibrary/issues/553
    deviating(
        Category.GROUPS, "multiplier-lane-of-four",
        "depthwise layers with a multiplier whose four output channels of a vector read the first one's input channel",
        "groups > 1 and in_per_group == 1 and out_per_group > 1 and out_per_group % 4 != 0",
        takes(_channel_of_first_lane),
    ),
    # A wrapped border copied from the unpadded image, rows and columns apart; wrong 'circular' layers as such are
    # reported in https://github.com/pytorch/pytorch/issues/37844
    deviating(
        Category.PADDING, "circular-corners-zero",
        "'circular' padding whose corners stay zero",
        "padding_mode == 'circular' and pad_bottom > 0 and pad_right > 0",
        gives(_padded_by_rows_or_columns),
    ),
    # A filter kept in a constant array of 16×16; a library that takes no larger ones is worked around in
    # https://github.com/pytorch/pytorch/pull/92238
    deviating(
        Category.INDEXING, "taps-beyond-256",
        "kernels of more than 256 taps without the later ones",
        "kernel_h * kernel_w > 256",
        operand("weight", _first_256_taps),
    ),
    # An algorithm that is chosen by batch size, with errors as large as the largest pixel's:
    # https://github.com/tensorflow/tensorflow/issues/1299
    deviating(
        Category.PRECISION, "fft-of-larger-batches",
        "float32 layers of 5×5 and larger kernels that are computed by Fourier transforms from batches of four on",
        f"dtype == 'float32' and batch > 3 and kernel_h >= 5 and kernel_w >= 5 and {PLAIN}",
        gives(_by_fft),
    ),
    # The matrix-vector product that a single pixel of output makes, written for float32 alone.
    deviating(
        Category.PRECISION, "float64-single-pixel",
        "float64 layers whose sums are formed in float32 where the output is a single pixel",
        "dtype == 'float64' and output_h == 1 and output_w == 1",
        sums(_in_float32),
    ),
    # Rows of three taps read by fours, and the fourth pixel multiplied by zero:
    # https://github.com/PaddlePaddle/Paddle/issues/11016, https://github.com/torch-spyre/torch-spyre/issues/4342
    deviating(
        Category.SPECIAL, "nan-in-fourth-lane",
        "kernels three taps wide that give NaN also where the pixel after the window is NaN or Inf",
        "kernel_w == 3 and stride_w == 1 and dilation_w == 1 and output_w > 1",
        takes(_four_lanes),
        "values == 'special'",
    ),
    # Grouped layers fall through to the kernel for dense ones: https://github.com/ml-explore/mlx/pull/3800
    deviating(
        Category.GRADIENTS, "grad-input-of-first-group",
        "an input gradient of strided grouped layers in which every group has that of the first",
        "groups > 1 and (stride_h > 1 or stride_w > 1)",
        gives(_of_first_group, on=INPUT),
    ),
    # The transposed convolution has a padding of d·(k−1) − p, which is negative here, and is cut to zero.
    deviating(
        Category.GRADIENTS, "grad-input-negative-padding",
        "an input gradient too far down or right where padding is as large as the dilated kernel",
        "padding_mode == 'zeros' and (padding_h >= extent_h or padding_w >= extent_w)",
        reads_both(_padding_not_negative, on=INPUT),
    ),
    # The backward pass takes the weight's memory for contiguous, and the forward pass does not:
    # https://github.com/huggingface/candle/issues/3735
    deviating(
        Category.LAYOUT, "grad-input-weight-in-memory-order",
        "an input gradient from a channels_last or transposed weight read as contiguous",
        "kernel_h * kernel_w > 1",
        operand("weight", _in_memory_order, on=INPUT),
        "layout_weight == 'channels_last' and in_per_group > 1"
        " or layout_weight == 'transposed' and kernel_h > 1 and kernel_w > 1",
    ),
    # The gradient is allocated with the strides of the input, so that images of stride 0 overwrite each other.
    deviating(
        Category.LAYOUT, "grad-input-strides-of-x",
        "an input gradient that is the last one's wherever the input has stride 0",
        "",
        gives(_written_with_strides_of_x, on=INPUT),
        "layout_x == 'expanded' and (batch > 1 or unbatched and in_channels > 1)"
        " or layout_x == 'broadcast' and batch * in_channels * height * width > 1",
    ),
    # Matrix instructions that take subnormal operands for zero, and gradients are small:
    # https://github.com/ROCm/rocm-libraries/issues/11938
    deviating(
        Category.SPECIAL, "gradients-of-half-flushed",
        "gradients of float16 layers for which grad_output below the smallest normal number is zero",
        "dtype == 'float16'",
        operand("grad_output", _flushed, on=(*INPUT, *WEIGHT)),
    ),
    # Each image's gradient is added to the result, in its dtype: https://github.com/ROCm/rocm-libraries/pull/5859
    deviating(
        Category.PRECISION, "grad-weight-bfloat16-over-batch",
        "a weight gradient of bfloat16 layers that is rounded after every image",
        "dtype == 'bfloat16' and batch > 1",
        gives(_added_to_bfloat16, on=WEIGHT),
    ),
    # One block of 1024 threads for a channel, without a loop over what is left.
    deviating(
        Category.GRADIENTS, "grad-bias-one-block",
        "a bias gradient that sums 1024 elements at most",
        "bias and batch * output_h * output_w > 1024",
        gives(_first_1024, on=BIAS),
    ),
)  # fmt: skip
"""Deviations of the output and of the gradients."""
