"""The numerics of torch on CUDA, on the CPU: every promise that `CUDA_PROFILES` gives up is really made use of.

What was measured is in `convcheck.model.cuda_profiles`. Which layers cuDNN computes how follows from heuristics that
nobody documents, so here strides and sizes decide, as arbitrarily.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.evaluation.variant_backends import ProductVariant
from convcheck.model.capabilities import Capabilities
from convcheck.model.cuda_profiles import CUDA_PROFILES, SCATTERED
from convcheck.plugin.backend import Gradients
from convcheck.plugin.reference_backend import check_tensors
from convcheck_reference.padding import source_index
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]

_SCALE: Final = np.float32(1.1)
"""Both operands are rounded when one is multiplied by it and the other divided: what is no longer exact then is off by
less than 4u of each product."""

_LEAST_TERMS: Final = 16
"""Of sums that are computed so: by then 4u is a small part of what may be lost in adding up."""


class CudnnLike(ProductVariant):
    """Sums in float32 (float64 for float64), and what torch on CUDA does besides."""

    name = "cudnn-like"
    capabilities = Capabilities(
        dtypes=("float32", "float64", "float16", "bfloat16"), gradients=True, module=True, profiles=CUDA_PROFILES
    )

    def __init__(self) -> None:
        super().__init__(np.matmul, self.capabilities)
        self._chance = np.random.default_rng()  # whose seed nobody knows, as nobody knows the order of atomics

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Array:
        """The output: of 16 bits rounded before the bias is added, but in torch's own depthwise kernels."""
        params = Conv2dParams.of(params.arguments)
        check_tensors(x, weight, bias, params)
        half = x.dtype.itemsize == 2
        own_kernel = _depthwise(params) and not (_channels_last(x) or _channels_last(weight))
        out = super().conv2d(*_scaled(x, weight, params.fan_in, chosen=_transforms(params)), None, params)
        if half and params.groups > 1 and out.size:
            out = _spread(out, params.groups)
        if bias is not None and half and not own_kernel:
            out = out.astype(x.dtype) + bias[:, None, None]
        elif bias is not None:
            out = out + bias.astype(out.dtype)[:, None, None]
        return _flushed(out.astype(x.dtype), flushes=_always_flushes(x))

    def conv2d_backward(
        self, grad_output: Array, x: Array, weight: Array, bias: Array | None, params: Conv2dParams
    ) -> Gradients:
        """The gradients: not exact for some layers, flushed in some, added up in any order in others."""
        sums, scattered = self._sums_in(x), params.padding_mode in SCATTERED
        if scattered:
            grad_input = self._scattered(grad_output, x, weight, params)
        else:
            terms = params.fan_in * params.out_channels // params.in_channels
            factors = _scaled(grad_output, weight, terms, chosen=_transforms(params))
            grad_input = self._grad_input(*factors, params, x.shape, sums)
        pixels = grad_output.size // max(1, params.out_channels)
        grad_weight = self._grad_weight(*_scaled(grad_output, x, pixels, chosen=pixels % 2 == 0), params, sums)
        always = _always_flushes(x)
        return Gradients(
            _flushed(grad_input.astype(x.dtype), flushes=always or (scattered and x.dtype == np.float32)),
            _flushed(grad_weight.astype(x.dtype), flushes=always),
            None if bias is None else self._grad_bias(grad_output, params, sums).astype(x.dtype),
        )

    def _scattered(self, grad_output: Array, x: Array, weight: Array, params: Conv2dParams) -> Array:
        """The input gradient of reflect and replicate padding, added up in an order of its own every time."""
        height, width = x.shape[-2:]
        rows, columns = (
            source_index(size, pads, params.padding_mode)
            for size, pads in zip((height, width), params.padding, strict=True)
        )
        unpadded = Conv2dParams.of(replace(params.arguments, padding=0, padding_mode="zeros"))
        shape = (*x.shape[:-2], rows.size, columns.size)
        found = self._grad_input(grad_output, weight, unpadded, shape, self._sums_in(x)).astype(x.dtype)
        at = (rows[:, None] * width + columns).ravel()
        order = self._chance.permutation(at.size)
        folded = np.zeros((height * width, x.size // max(1, height * width)), x.dtype)
        if folded.size:
            np.add.at(folded, at[order], found.reshape(-1, at.size).T[order])
        return np.asarray(folded.T.reshape(x.shape))


def _depthwise(params: Conv2dParams) -> bool:
    return params.groups == params.in_channels > 1


def _scaled(a: Array, b: Array, terms: int, *, chosen: bool) -> tuple[Array, Array]:
    """Both factors in the format of the sums; where the layer is `chosen` as they are after a transform."""
    wide = np.float64 if a.dtype == np.float64 else np.float32
    a, b = a.astype(wide), b.astype(wide)
    if not chosen or wide is np.float64 or terms < _LEAST_TERMS:
        return a, b
    with np.errstate(over="ignore"):
        transformed = a * _SCALE, b / _SCALE
    # of what would leave the range nothing is transformed
    kept = all((np.abs(t) >= np.finfo(wide).tiny)[t != 0].all() and np.isfinite(t).all() for t in transformed)
    return transformed if kept else (a, b)


def _spread(out: Array, groups: int) -> Array:
    """NaN wherever the group beside has something that is not finite at the same place."""
    by_group = out.reshape(*out.shape[:-3], groups, -1, *out.shape[-2:])
    beside = np.roll(by_group, 1, axis=-4)
    with np.errstate(invalid="ignore"):
        return np.asarray((by_group + 0 * beside.sum(axis=-3, keepdims=True)).reshape(out.shape))


def _transforms(params: Conv2dParams) -> bool:
    """Whether a layer's operands are transformed on the way to its output and input gradient."""
    return params.kernel_size != (1, 1) and params.stride == (1, 1)


def _always_flushes(x: Array) -> bool:
    return x.dtype.name == "bfloat16"


def _flushed(array: Array, *, flushes: bool) -> Array:
    if not flushes:
        return array
    smallest_normal = array.dtype.type(2.0**-126)
    return np.asarray(np.where(np.abs(array) < smallest_normal, array.dtype.type(0), array))


def _channels_last(array: Array) -> bool:
    """Whether the strides are those of NHWC order, and of no other."""
    *_, channels, height, width = array.shape
    step = array.itemsize
    nhwc = (step, width * channels * step, channels * step)
    return max(channels, height, width) > 1 and array.strides[-3:] == nhwc
