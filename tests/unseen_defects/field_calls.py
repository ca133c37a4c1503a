"""Layouts, plans, refusals and partial sums that go wrong in the field.

Above each stands the kind of bug, and a thread that reports one if there is one. "Not expressible" are those that no
case and no call of the commit of their first measurement can show. They are wrong for whoever calls them so.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import as_strided

from convcheck.defects.deviations import BACKWARD, operand, rounded, sums
from convcheck.defects.model import Category, Defect, DefectBackend, deviating
from convcheck.model.rules import ALWAYS, Rule
from convcheck.plugin.function_backend import FunctionBackend
from convcheck_reference.params import Conv2dParams
from unseen_defects import torch_functions


def _first_pixel_alone(grad, _):
    *_, channel, row, pixel = grad.strides
    if row or pixel or not channel:
        return grad
    read = np.zeros_like(grad)
    read[..., 0, 0] = grad[..., 0, 0]
    return read


def _images_end_to_end(x, _):
    image = math.prod(x.shape[1:]) * x.itemsize
    if len(x) < 2 or not x[0].flags.c_contiguous or x.strides[0] <= image:
        return x
    return as_strided(x, strides=(image, *x.strides[1:]))


def _filters_last_as_stored(weight, _):
    last = len(weight) > 1 and weight.strides[0] == weight.itemsize and min(weight.strides) > 0
    return weight.ravel(order="K").reshape(weight.shape) if last and not weight.flags.c_contiguous else weight


def _without_steps(bias, _):
    return as_strided(bias, strides=(bias.itemsize,)) if bias.strides[0] > bias.itemsize else bias


class PlanOfPaddedSize(DefectBackend):
    """Keeps where the image begins in the padded buffer, by the size of that and the rest of the layer."""

    def __init__(self):
        self._corners = {}

    def conv2d(self, x, weight, bias, params):
        output = super().conv2d(x, weight, bias, params)
        if params.padding_mode != "zeros":
            return output
        size = [own + sum(pads) for own, pads in zip(x.shape[-2:], params.padding, strict=True)]
        corner = tuple(before for before, _ in params.padding)
        key = (*size, weight.shape, params.stride, params.dilation, params.groups)
        kept = self._corners.setdefault(key, corner)
        if kept == corner:
            return output
        padded = np.zeros((*x.shape[:-2], *size), x.dtype)
        row, column = (min(at, whole - own) for at, whole, own in zip(kept, size, x.shape[-2:], strict=True))
        padded[..., row : row + x.shape[-2], column : column + x.shape[-1]] = x
        return super().conv2d(padded, weight, bias, Conv2dParams.of(replace(params.arguments, padding=0)))


class BorderWithoutMode(DefectBackend):
    """Keeps the table of the pixels behind the border by all that it is made of, but the mode."""

    def __init__(self):
        self._modes = {}

    def conv2d(self, x, weight, bias, params):
        output = super().conv2d(x, weight, bias, params)
        key = (x.shape[-2:], params.kernel_size, params.stride, params.padding, params.dilation)
        mode = self._modes.setdefault(key, params.padding_mode)
        if mode == params.padding_mode:
            return output
        return super().conv2d(x, weight, bias, Conv2dParams.of(replace(params.arguments, padding_mode=mode)))


class SlotsNotReturned(DefectBackend):
    """Takes one of 4,096 semaphores for each call and returns none; without one the last row is not waited for."""

    def __init__(self):
        self._taken = 0

    def conv2d(self, x, weight, bias, params):
        output = super().conv2d(x, weight, bias, params)
        self._taken += 1
        if self._taken > 4096:
            output[..., -1:, :] = 0
        return output


class ShortBias(DefectBackend):
    """Reads as many elements of the bias as there are, and zeros for the rest."""

    def conv2d(self, x, weight, bias, params):
        if bias is not None and bias.ndim == 1 and len(bias) < len(weight):
            bias = np.append(bias, np.zeros(len(weight) - len(bias), bias.dtype))
        return super().conv2d(x, weight, bias, params)


class TruncatedPadding(DefectBackend):
    """Makes an int of whatever number the padding is."""

    def conv2d(self, x, weight, bias, params):
        def whole(value):
            return int(value) if isinstance(value, float) else value

        padding = params.arguments.padding
        padding = tuple(map(whole, padding)) if isinstance(padding, tuple) else whole(padding)
        return super().conv2d(x, weight, bias, Conv2dParams.of(replace(params.arguments, padding=padding)))


def _four_parts_in_half(a, b):
    ends = [a.shape[-1] * part // 4 for part in range(5)]
    parts = (slice(*part) for part in pairwise(ends))
    return sum(rounded(a[..., part] @ b[..., part, :], "float16") for part in parts)


CALLS = (
    # The gradient behind a global average pool has stride 0 along rows and columns alone; gradients that are not
    # contiguous go wrong in https://github.com/pytorch/pytorch/pull/708. Not expressible.
    deviating(
        Category.LAYOUT, "grad-output-behind-pool",
        "gradients from a grad_output of stride 0 along rows and columns, not channels, as if all but one were zero",
        "output_h * output_w > 1",
        operand("grad_output", _first_pixel_alone, on=BACKWARD),
    ),
    # Channels of a larger tensor, as concatenated features are: each image is dense, and they lie further apart.
    # Not expressible but for images of one channel and row.
    deviating(
        Category.LAYOUT, "channel-slice-end-to-end",
        "dense images with gaps between them read as if they lay end to end",
        "batch > 1",
        operand("x", _images_end_to_end),
    ),
    # A weight of another framework, (kh, kw, C/G, O), permuted: https://github.com/pytorch/pytorch/issues/192212.
    # Not expressible.
    deviating(
        Category.LAYOUT, "filters-last-as-stored",
        "a weight whose filters are its innermost axis read as contiguous",
        "out_channels > 1 and in_per_group * kernel_h * kernel_w > 1",
        operand("weight", _filters_last_as_stored),
    ),
    # A column of a matrix as the bias. Not expressible.
    deviating(
        Category.LAYOUT, "bias-without-steps",
        "a bias that is every n-th element of a larger one read without steps",
        "bias and out_channels > 1",
        operand("bias", _without_steps),
    ),
    # A plan's key with the padded size for both that of the image and the padding; a key without pads is found in
    # https://github.com/microsoft/onnxruntime/pull/32681
    Defect(
        "plan-of-padded-size", Category.STATE,
        "an image at the corner of the padded buffer that the first layer of its padded size had",
        Rule("padding_mode == 'zeros' and (pad_bottom > 0 or pad_right > 0)"), PlanOfPaddedSize,
    ),
    # A key that misses an argument: https://github.com/tensorflow/tfjs/pull/2507
    Defect(
        "border-without-mode", Category.STATE,
        "the padding mode of the first layer of the same geometry",
        Rule("pad_bottom > 0 or pad_right > 0"), BorderWithoutMode,
    ),
    # A pool that runs dry in a process that lives long.
    Defect(
        "slots-not-returned", Category.STATE,
        "the last row of the output left at zero from the 4,097th call on",
        ALWAYS, SlotsNotReturned,
    ),
    # A bias is copied into a buffer of whole vectors, and its length is not looked at:
    # https://github.com/microsoft/onnxruntime/pull/29464
    Defect(
        "short-bias-taken", Category.CONTRACT,
        "a bias of too few elements accepted, with zeros for those that it lacks",
        Rule("False"), ShortBias,
    ),
    # An argument converted to an int on the way into the kernel.
    Defect(
        "fractional-padding-taken", Category.CONTRACT,
        "a padding of one and a half accepted as one",
        Rule("False"), TruncatedPadding,
    ),
    # Split-K: four parts of the sum go through memory in the dtype of the result:
    # https://github.com/modular/modular/issues/7165
    deviating(
        Category.PRECISION, "split-sums-in-half",
        "float16 layers of 512 products and more whose sum is made of four quarters rounded to float16",
        "dtype == 'float16' and in_per_group * kernel_h * kernel_w > 511",
        sums(_four_parts_in_half),
    ),
    # What backward keeps is what the input's gradient needs. The first layer of a network asks for none.
    # Not expressible.
    Defect(
        "grad-weight-with-grad-input-alone", Category.GRADIENTS,
        "a weight gradient of zeros where the input needs none",
        Rule("False"), lambda: FunctionBackend(torch_functions.weight_with_input, "defect"),
    ),
    # Fused for inference, and apart while a graph is recorded; the two differ in
    # https://github.com/intel/intel-extension-for-pytorch/issues/597. Not expressible.
    Defect(
        "bias-lost-while-recording", Category.BIAS,
        "an output without the bias wherever autograd records it",
        Rule("False"), lambda: FunctionBackend(torch_functions.bias_lost_while_recording, "defect"),
    ),
)  # fmt: skip
"""What is not a matter of size."""
