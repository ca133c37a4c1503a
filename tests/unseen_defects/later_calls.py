"""Wrong layers, calls and refusals of a third set. Above each stands the kind of bug and the thread that reports one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from convcheck.defects.model import Category, Defect, DefectBackend
from convcheck.model.rules import ALWAYS, Rule
from convcheck.plugin.reference_backend import ReferenceModule
from convcheck_reference.errors import ConvcheckError, InputShapeError, KernelTooLargeError
from convcheck_reference.params import Conv2dParams

DILATED = "dilation_h > 1 or dilation_w > 1"


class ModuleOfExchangedDilations(ReferenceModule):
    """Pads for 'same' itself, rows for the dilation of columns and columns for that of rows."""

    def __call__(self, x):
        params = self._params
        if params.arguments.padding != "same" or params.padding_mode != "zeros":
            return super().__call__(x)
        pads = [d * (k - 1) for k, d in zip(params.kernel_size, params.dilation[::-1], strict=True)]
        around = [(0, 0)] * (x.ndim - 2) + [(pad // 2, pad - pad // 2) for pad in pads]
        unpadded = Conv2dParams.of(replace(params.arguments, padding=0))
        return self._backend.conv2d(np.pad(x, around), self.weight, self.bias, unpadded)


class ExchangedDilations(DefectBackend):
    def make_module(self, **constructor_arguments):
        dtype = constructor_arguments.pop("dtype", "float32")
        return ModuleOfExchangedDilations(self, Conv2dParams(**constructor_arguments), dtype)


class UngroupedFanIn(DefectBackend):
    def make_module(self, **constructor_arguments):
        module = super().make_module(**constructor_arguments)
        groups = constructor_arguments.get("groups", 1)
        module.weight = (module.weight / np.sqrt(groups)).astype(module.weight.dtype)
        return module


class PlanOfFirstSize(DefectBackend):
    """Keeps the padding that makes an image a whole number of dilations, by layer."""

    def __init__(self):
        self._plans = {}

    def conv2d(self, x, weight, bias, params):
        output = super().conv2d(x, weight, bias, params)
        padded = [size + sum(pads) for size, pads in zip(x.shape[-2:], params.padding, strict=True)]
        short = [-size % step for size, step in zip(padded, params.dilation, strict=True)]
        if self._plans.setdefault(params, short) != short:
            raise ValueError(f"an image padded to {padded} is not divisible by {params.dilation}")
        return output


class UnwrittenAfterRefusal(DefectBackend):
    """A refused call leaves its commands behind, and those of the next call are not sent."""

    def __init__(self):
        self._left = False

    def conv2d(self, x, weight, bias, params):
        left, self._left = self._left, False
        try:
            output = super().conv2d(x, weight, bias, params)
        except ConvcheckError:
            self._left = True
            raise
        return np.zeros_like(output) if left else output


class ShareLost(DefectBackend):
    """The images are shared out, and the last share is not always waited for."""

    def __init__(self):
        self._calls = 0

    def conv2d_backward(self, grad_output, x, weight, bias, params):
        gradients = super().conv2d_backward(grad_output, x, weight, bias, params)
        if x.ndim == 3 or len(x) < 2:
            return gradients
        self._calls += 1
        if self._calls % 16:
            return gradients
        return gradients._replace(weight=super().conv2d_backward(grad_output[:-1], x[:-1], weight, bias, params).weight)


class PhantomOutput(DefectBackend):
    """Takes the difference of two sizes for zero where it is negative, and adds one window."""

    def conv2d(self, x, weight, bias, params):
        try:
            return super().conv2d(x, weight, bias, params)
        except KernelTooLargeError:
            params = Conv2dParams.of(params.arguments)
            padded = [size + sum(pads) for size, pads in zip(x.shape[-2:], params.padding, strict=True)]
            more = [(0, max(span - size, 0)) for span, size in zip(params.extent, padded, strict=True)]
            return super().conv2d(np.pad(x, [(0, 0)] * (x.ndim - 2) + more), weight, bias, params)


class SmallImageRefused(DefectBackend):
    """Compares image and kernel, without the padding."""

    def conv2d(self, x, weight, bias, params):
        output = super().conv2d(x, weight, bias, params)
        if any(k > size for k, size in zip(weight.shape[2:], x.shape[-2:], strict=True)):
            raise InputShapeError(f"a kernel of {weight.shape[2:]} does not fit an image of {x.shape[-2:]}")
        return output


DEFECTS = (
    # One of two pairs is reversed: https://github.com/tinygrad/tinygrad/pull/17805
    Defect(
        "module-same-dilations-exchanged", Category.CONTRACT,
        "a layer whose 'same' padding takes each axis' dilation for the other's",
        Rule(
            "entry == 'module' and padding_same and padding_mode == 'zeros' and dilation_h != dilation_w"
            " and (kernel_h > 1 or kernel_w > 1)"
        ),
        ExchangedDilations,
    ),
    # Initialised as if it had no groups: https://github.com/ml-explore/mlx/issues/4536
    Defect(
        "module-fan-in-ungrouped", Category.CONTRACT,
        "a grouped layer whose weight is initialised for the inputs of all groups",
        Rule("entry == 'module' and groups > 1"), UngroupedFanIn,
    ),
    # What depends on the image is kept with the layer: https://github.com/tensorflow/tensorflow/issues/42988
    Defect(
        "dilated-plan-of-first-size", Category.STATE,
        "an error for an image unlike a dilated layer's first one, in its size modulo the dilation",
        Rule(DILATED), PlanOfFirstSize,
    ),
    # An exception passes by what has to be finished: https://github.com/ml-explore/mlx/pull/3675
    Defect(
        "unwritten-after-refusal", Category.STATE,
        "an output of zeros in the call after one that was refused",
        ALWAYS, UnwrittenAfterRefusal,
    ),
    # A race over parts of a sum: https://github.com/ROCm/rocm-libraries/issues/8025
    Defect(
        "grad-weight-share-lost", Category.STATE,
        "a weight gradient without the last image in every sixteenth call",
        Rule("batch > 1"), ShareLost,
    ),
    # A difference that is clamped at zero before one is added: https://github.com/google/XNNPACK/pull/10453
    Defect(
        "phantom-output", Category.CONTRACT,
        "kernels larger than the padded image accepted, with one window",
        Rule("False"), PhantomOutput,
    ),
    # A check that forgets the padding: https://github.com/foss-xtensa/nnlib-hifi4/issues/12
    Defect(
        "small-image-refused", Category.CONTRACT,
        "an error for images smaller than the kernel, padded or not",
        Rule("kernel_h > height or kernel_w > width"), SmallImageRefused,
    ),
)  # fmt: skip
"""Defects of layers, of sequences of calls, and of what is refused."""
