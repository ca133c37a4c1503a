"""Backends that compute in ways of their own: what legal variants and seeded defects are made of.

Each really computes that way, output and gradients, in the narrow dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from convcheck.evaluation.fast_algorithms import Algorithm, Weights, transposed
from convcheck.model.capabilities import Capabilities
from convcheck.plugin.backend import Gradients
from convcheck.plugin.reference_backend import ReferenceBackend, check_tensors
from convcheck_reference.params import Conv2dParams, Shape
from convcheck_reference.patches import col2im, im2col

Array = NDArray[Any]
Product: TypeAlias = Callable[[Array, Array], Array]
"""A batched matrix product a @ b in the dtype of its operands."""


class ProductVariant(ReferenceBackend):
    """Output and gradients as matrix products over `im2col`, with a product of one's own.

    Args:
        product: the matrix product.
        declared: what it supports.
        accumulator: dtype of the sums; by default float32 for 16-bit dtypes, the dtype itself for others.
        prepare: what happens to both factors of a product first.
    """

    def __init__(
        self,
        product: Product,
        declared: Capabilities,
        accumulator: DTypeLike | None = None,
        prepare: Callable[[Array], Array] = lambda a: a,
    ) -> None:
        self.capabilities = declared
        self._product = product
        self._accumulator = accumulator
        self._prepare = prepare

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Array:
        """The output."""
        params = Conv2dParams.of(params.arguments)
        check_tensors(x, weight, bias, params)
        dtype = self._sums_in(x)
        columns = im2col(self._factor(x, dtype), params)
        out = self._product(_matrix(self._factor(weight, dtype), params), columns)
        out = out.reshape(params.output_shape(x.shape))
        if bias is not None:
            out = out + bias.astype(dtype)[:, None, None]
        return np.asarray(out.astype(x.dtype))

    def conv2d_backward(
        self, grad_output: Array, x: Array, weight: Array, bias: Array | None, params: Conv2dParams
    ) -> Gradients:
        """The three gradients."""
        dtype = self._sums_in(x)
        return Gradients(
            self._grad_input(grad_output, weight, params, x.shape, dtype).astype(x.dtype),
            self._grad_weight(grad_output, x, params, dtype).astype(x.dtype),
            None if bias is None else self._grad_bias(grad_output, params, dtype).astype(x.dtype),
        )

    def _grad_input(
        self, grad_output: Array, weight: Array, params: Conv2dParams, shape: Shape, dtype: np.dtype[Any]
    ) -> Array:
        """The gradient of an x of this shape, in the format of the sums."""
        grad = _grouped(self._factor(grad_output, dtype), params)
        columns = self._product(_matrix(self._factor(weight, dtype), params).swapaxes(-1, -2), grad)
        return col2im(columns, params, shape)

    def _grad_weight(self, grad_output: Array, x: Array, params: Conv2dParams, dtype: np.dtype[Any]) -> Array:
        """The gradient of the weight, in the format of the sums; images and windows are summed together."""
        grad, patches = _grouped(self._factor(grad_output, dtype), params), im2col(self._factor(x, dtype), params)
        return self._product(_over_images(grad), _over_images(patches).swapaxes(-1, -2)).reshape(params.weight_shape)

    def _grad_bias(self, grad_output: Array, params: Conv2dParams, dtype: np.dtype[Any]) -> Array:
        """The gradient of the bias, in the format of the sums; it multiplies nothing, so nothing is prepared."""
        rows = _over_images(_grouped(grad_output.astype(dtype), params))
        return self._product(rows, np.ones((rows.shape[-1], 1), dtype)).reshape(params.out_channels)

    def _sums_in(self, x: Array) -> np.dtype[Any]:
        if self._accumulator is not None:
            return np.dtype(self._accumulator)
        return np.dtype(np.float32) if x.dtype.itemsize == 2 else x.dtype

    def _factor(self, array: Array, dtype: np.dtype[Any]) -> Array:
        return self._prepare(array.astype(dtype))


class DirectVariant(ProductVariant):
    """Loops over the taps; each adds its product for every pixel at once, in the layout of the image."""

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Array:
        """The output."""
        params = Conv2dParams.of(params.arguments)
        check_tensors(x, weight, bias, params)
        dtype = self._sums_in(x)
        kh, kw = params.kernel_size
        shape = params.output_shape(x.shape)
        patches = im2col(x.astype(dtype), params)
        into, out_of = (channels // params.groups for channels in (params.in_channels, params.out_channels))
        patches = patches.reshape(patches.shape[0], params.groups, into, kh, kw, patches.shape[-1])
        filters = weight.astype(dtype).reshape(params.groups, out_of, into, kh, kw)
        out = np.zeros((patches.shape[0], *filters.shape[:2], patches.shape[-1]), dtype)
        if bias is not None:
            out += bias.astype(dtype).reshape(*filters.shape[:2], 1)
        for i in range(kh):
            for j in range(kw):
                for c in range(filters.shape[2]):
                    out += filters[:, :, c, i, j, None] * patches[:, :, None, c, i, j]
        return np.asarray(out.reshape(shape).astype(x.dtype))


class ChannelsLastVariant(ProductVariant):
    """Channels innermost: the sum runs over the channels first, then over the taps."""

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Array:
        """The output, stored with its channels last."""
        params = Conv2dParams.of(params.arguments)
        check_tensors(x, weight, bias, params)
        dtype = self._sums_in(x)
        taps = params.kernel_size[0] * params.kernel_size[1]
        shape = params.output_shape(x.shape)
        patches = im2col(x.astype(dtype), params)
        into, out_of = (channels // params.groups for channels in (params.in_channels, params.out_channels))
        patches = patches.reshape(patches.shape[0], params.groups, into, taps, patches.shape[-1])
        filters = weight.astype(dtype).reshape(params.groups, out_of, into, taps)
        innermost = np.ascontiguousarray(patches.transpose(0, 4, 1, 3, 2)), np.ascontiguousarray(filters.swapaxes(2, 3))
        out = np.einsum("npgtc,gotc->npgo", *innermost).reshape(len(patches), *shape[-2:], params.out_channels)
        if bias is not None:
            out = out + bias.astype(dtype)
        return np.asarray(np.moveaxis(out.astype(x.dtype), -1, 1).reshape(shape))


class TransformVariant(ProductVariant):
    """Output and gradients by a fast algorithm where it suits the layer, all else as matrix products.

    Args:
        algorithm: for the output.
        weights: for the gradient of the weight.
        suits: whether they take a layer.
        declared: what is supported.
    """

    def __init__(
        self,
        algorithm: Algorithm,
        weights: Weights,
        suits: Callable[[Conv2dParams], bool],
        declared: Capabilities,
    ) -> None:
        super().__init__(np.matmul, declared)
        self._algorithm = algorithm
        self._weights = weights
        self._suits = suits

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Array:
        """The output."""
        params = Conv2dParams.of(params.arguments)
        check_tensors(x, weight, bias, params)
        if not self._suits(params) or x.size == 0:
            return super().conv2d(x, weight, bias, params)
        dtype = self._sums_in(x)
        batched = x if x.ndim == 4 else x[None]
        out = self._algorithm(batched.astype(dtype), weight.astype(dtype), params).reshape(params.output_shape(x.shape))
        if bias is not None:
            out = out + bias.astype(dtype)[:, None, None]
        return np.asarray(out.astype(x.dtype))

    def conv2d_backward(
        self, grad_output: Array, x: Array, weight: Array, bias: Array | None, params: Conv2dParams
    ) -> Gradients:
        """The three gradients."""
        gradients = super().conv2d_backward(grad_output, x, weight, bias, params)
        if not self._suits(params) or x.size == 0:
            return gradients
        dtype = self._sums_in(x)
        grad = (grad_output if grad_output.ndim == 4 else grad_output[None]).astype(dtype)
        grad_input = transposed(self._algorithm, grad, weight.astype(dtype), params, *x.shape[-2:])
        grad_weight = self._weights(grad, (x if x.ndim == 4 else x[None]).astype(dtype), params)
        return gradients._replace(
            input=grad_input.reshape(x.shape).astype(x.dtype), weight=grad_weight.astype(weight.dtype)
        )


def _matrix(weight: Array, params: Conv2dParams) -> Array:
    return weight.reshape(params.groups, params.out_channels // params.groups, params.fan_in)


def _grouped(grad: Array, params: Conv2dParams) -> Array:
    images = grad.shape[0] if grad.ndim == 4 else 1
    pixels = grad.shape[-2] * grad.shape[-1]
    return grad.reshape(images, params.groups, params.out_channels // params.groups, pixels)


def _over_images(array: Array) -> Array:
    """(N, G, A, P) as (G, A, N·P): images are more windows."""
    n, g, a, p = array.shape
    return array.transpose(1, 2, 0, 3).reshape(g, a, n * p)
