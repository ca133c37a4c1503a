"""What calls leave behind. Above each defect stands the kind of bug, and the thread that reports one."""

from __future__ import annotations

import numpy as np

from convcheck.defects.model import Category, Defect, DefectBackend
from convcheck.model.rules import Rule


class PackedWeights(DefectBackend):
    """Keeps the packed weight by its address and shape."""

    def __init__(self):
        self._packed = {}

    def conv2d(self, x, weight, bias, params):
        if params.groups == 1 and x.dtype == np.float32:
            key = (weight.ctypes.data, weight.shape, weight.strides, weight.dtype)
            weight = self._packed.setdefault(key, weight.copy())
        return super().conv2d(x, weight, bias, params)


class FlushingFromHalf(DefectBackend):
    """Sets flush-to-zero for a float16 call, and leaves it on."""

    def __init__(self):
        self._flushing = False

    def conv2d(self, x, weight, bias, params):
        if not (self._flushing and x.dtype == np.float32):
            output = super().conv2d(x, weight, bias, params)
            self._flushing |= x.dtype == np.float16
            return output
        bias = None if bias is None else flushed(bias)
        return flushed(super().conv2d(flushed(x), flushed(weight), bias, params))


class ReducingInPlace(DefectBackend):
    """Sums the images of grad_output into the first one, for the gradient of the bias."""

    def conv2d_backward(self, grad_output, x, weight, bias, params):
        gradients = super().conv2d_backward(grad_output, x, weight, bias, params)
        if bias is not None and grad_output.ndim == 4 and len(grad_output) > 1 and grad_output.flags.writeable:
            grad_output[0] = grad_output.sum(axis=0)
        return gradients


def flushed(array):
    return np.where(np.abs(array) < np.finfo(array.dtype).tiny, array.dtype.type(0), array)


DEFECTS = (
    # A cache that does not see an update in place, such as an optimiser's step:
    # https://github.com/ooples/AiDotNet.Tensors/pull/583, https://github.com/tensorflow/tensorflow/pull/56150
    Defect(
        "packed-weight-kept-by-address", Category.STATE,
        "a weight of float32 layers without groups kept from the first call with its address and shape",
        Rule("dtype == 'float32' and groups == 1"), PackedWeights,
    ),
    # The mode of the processor is set for one kernel and not restored.
    Defect(
        "flush-to-zero-left-on", Category.STATE,
        "float32 results and operands below the smallest normal number taken for zero after a float16 call",
        Rule("dtype == 'float32' and values == 'subnormal'"), FlushingFromHalf,
    ),
    # A reduction that uses its operand for the partial sums.
    Defect(
        "grad-output-reduced-in-place", Category.CONTRACT,
        "a backward call that leaves the sum over the batch in the first image of grad_output, where there is a bias",
        Rule("bias and batch > 1"), ReducingInPlace,
    ),
)  # fmt: skip
"""Defects that outlive a call."""
