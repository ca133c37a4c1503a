"""Legal variants: convolutions that compute in another order, or in another format, than the reference.

Each really computes that way, output and gradients, in the narrow dtype, and declares its honest
profile. A harness that reports one of them raises a false alarm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from convcheck.defects.deviations import rounded
from convcheck.evaluation.fast_algorithms import (
    Algorithm,
    Weights,
    fft,
    fft_weights,
    transposed,
    winograd,
    winograd_weights,
)
from convcheck.model.capabilities import Capabilities, ProfileKey
from convcheck.model.profiles import (
    FFT,
    FP16_ACC,
    TF32_INPUTS,
    WINOGRAD_F2,
    WINOGRAD_F4,
    WINOGRAD_F6,
    Profile,
)
from convcheck.numerics.toom_cook import suits_winograd
from convcheck.plugin.backend import Backend, Gradients
from convcheck.plugin.function_backend import FunctionBackend, capabilities
from convcheck.plugin.reference_backend import ReferenceBackend, check_tensors
from convcheck_reference.convolution import col2im, im2col
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]
Product: TypeAlias = Callable[[Array, Array], Array]
"""A batched matrix product a @ b in the dtype of its operands."""

_AT_ONCE: Final = 1 << 18
"""Products that are in memory at once."""
_PAIRWISE: Final = 32
"""Products up to which halves are no longer taken."""
_LANE: Final = 64
"""Products of a lane, about."""

_FLOAT: Final = ("float32", "float64", "float16", "bfloat16")


@dataclass(frozen=True, slots=True)
class Variant:
    """A legal way to compute.

    Attributes:
        name: unique.
        summary: completes the sentence "computes with …".
        build: makes a backend.
    """

    name: str
    summary: str
    build: Callable[[], Backend] = field(repr=False)

    def backend(self) -> Backend:
        """A fresh backend."""
        backend = self.build()
        backend.name = self.name
        return backend

    def __reduce__(self) -> tuple[Any, ...]:
        """A variant crosses to other processes as its name."""
        return variant, (self.name,)


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
        """The three gradients; images and windows are summed together."""
        dtype = self._sums_in(x)
        grad = _grouped(self._factor(grad_output, dtype), params)
        columns = self._product(_matrix(self._factor(weight, dtype), params).swapaxes(-1, -2), grad)
        patches = im2col(self._factor(x, dtype), params)
        grad_weight = self._product(_over_images(grad), _over_images(patches).swapaxes(-1, -2))
        grad_bias = None
        if bias is not None:
            # a bias gradient multiplies nothing, so nothing is prepared
            rows = _over_images(_grouped(grad_output.astype(dtype), params))
            grad_bias = self._product(rows, np.ones((rows.shape[-1], 1), dtype)).reshape(bias.shape).astype(x.dtype)
        return Gradients(
            col2im(columns, params, x.shape).astype(x.dtype),
            grad_weight.reshape(params.weight_shape).astype(x.dtype),
            grad_bias,
        )

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


def sequential(a: Array, b: Array) -> Array:
    """One product after the other, rounded after each addition."""
    total = _zeros(a, b)
    step = max(1, _AT_ONCE // max(1, total.size))
    for k in range(0, a.shape[-1], step):
        products = a[..., :, k : k + step, None] * b[..., None, k : k + step, :]
        products[..., :, 0, :] += total
        total = np.add.accumulate(products, axis=-2, out=products)[..., -1, :].copy()
    return total


def reverse(a: Array, b: Array) -> Array:
    """From the last product to the first."""
    return sequential(a[..., ::-1], b[..., ::-1, :])


def blocked(a: Array, b: Array, block: int = 64) -> Array:
    """Partial sums of 64 products, added one after the other."""
    total = _zeros(a, b)
    for k in range(0, a.shape[-1], block):
        total = total + sequential(a[..., k : k + block], b[..., k : k + block, :])
    return total


def pairwise(a: Array, b: Array) -> Array:
    """Halves, added."""
    terms = a.shape[-1]
    if terms <= _PAIRWISE:
        return sequential(a, b)
    half = terms // 2
    return pairwise(a[..., :half], b[..., :half, :]) + pairwise(a[..., half:], b[..., half:, :])


def split_k(a: Array, b: Array, parts: int = 4) -> Array:
    """A matrix product for each of four interleaved parts of the sum."""
    products = (np.matmul(a[..., k::parts], b[..., k::parts, :]) for k in range(parts))
    return sum(products, start=np.zeros((), a.dtype))


def fused(a: Array, b: Array) -> Array:
    """A fused multiply-add for each product, rounded once; long sums in lanes, as vector units keep them.

    The product of two float32 is exact in float64. Its sum with a float32 is rounded to odd there, which
    makes the second rounding, to float32, that of the exact sum (Boldo & Melquiond 2008, theorem 3).
    """
    lanes = max(1, a.shape[-1] // _LANE)
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    totals = np.repeat(_zeros(a, b)[..., None, :], lanes, axis=-2)
    for k in range(0, a.shape[-1], lanes):
        products = wide_a[..., :, k : k + lanes, None] * wide_b[..., None, k : k + lanes, :]
        into = totals[..., : products.shape[-2], :]
        into[...] = _added_to_odd(products, into.astype(np.float64))
    return np.asarray(np.add.accumulate(totals, axis=-2)[..., -1, :])


def _zeros(a: Array, b: Array) -> Array:
    """An empty sum in the shape of a @ b."""
    return np.zeros((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]), a.dtype)


def _added_to_odd(a: Array, b: Array) -> Array:
    """A + b in float64; where inexact, the neighbour whose last bit is odd (error by Knuth's TwoSum)."""
    total = np.asarray(a + b)
    back = total - a
    error = (a - (total - back)) + (b - back)
    even = (total.view(np.int64) & 1) == 0
    towards = np.nextafter(total, np.where(error > 0, np.inf, -np.inf))
    return np.where(even & (error != 0) & np.isfinite(error), towards, total)


@capabilities(
    arrays="torch", dtypes=("float32", "float64"), padding_modes=("zeros",), gradients=True, unbatched=False,
    layouts=("contiguous", "channels_last", "sliced", "transposed", "expanded"),
)  # fmt: skip
def torch_native(
    x: Any, weight: Any, bias: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """The CPU kernels of torch itself: neither oneDNN, nor NNPACK, which transforms batches of 16 and more.

    Without unbatched images: the weight gradient of grouped ones in channels_last is wrong in torch 2.13.
    """
    import torch  # noqa: PLC0415  (only where this variant runs)

    mkldnn: Any = torch.backends.mkldnn.flags
    nnpack: Any = torch.backends.nnpack.flags
    with mkldnn(enabled=False), nnpack(enabled=False):
        return torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups)


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


def _capable(dtypes: tuple[str, ...], profiles: dict[ProfileKey, Profile] | None = None) -> Capabilities:
    return Capabilities(dtypes=dtypes, gradients=True, module=True, profiles=profiles or {})


def _of(product: Product, dtypes: tuple[str, ...] = _FLOAT) -> Callable[[], Backend]:
    return partial(ProductVariant, product, _capable(dtypes))


def _tf32(array: Array) -> Array:
    return rounded(array, "tf32").astype(np.float32)


_HALF: Final = np.dtype(np.float16)


def _transformed(
    algorithm: Algorithm, weights: Weights, suits: Callable[[Conv2dParams], bool], profile: Profile
) -> Callable[[], Backend]:
    dtypes = ("float32", "float16")
    # transforms spread what is not finite over a tile or an image
    declared = replace(_capable(dtypes, dict.fromkeys(dtypes, profile)), nonfinite=False)
    return partial(TransformVariant, algorithm, weights, suits, declared)


VARIANTS: Final[tuple[Variant, ...]] = (
    Variant("sequential", "one product after the other", _of(sequential, ("float32",))),
    Variant("reverse", "the products from the last to the first", _of(reverse, ("float32",))),
    Variant("blocked-64", "partial sums of 64 products", _of(blocked)),
    Variant("pairwise", "pairwise sums", _of(pairwise)),
    Variant("split-k", "four interleaved partial sums", _of(split_k)),
    Variant("fma", "fused multiply-adds", _of(fused, ("float32",))),
    Variant("im2col-gemm", "one matrix product a group", _of(np.matmul)),
    Variant("direct", "loops over taps and channels", partial(DirectVariant, np.matmul, _capable(_FLOAT))),
    Variant("channels-last", "channels innermost", partial(ChannelsLastVariant, np.matmul, _capable(_FLOAT))),
    Variant("fp16-in-fp32-acc", "float16 operands and float32 sums", _of(sequential, ("float16",))),
    Variant("bf16-in-fp32-acc", "bfloat16 operands and float32 sums", _of(sequential, ("bfloat16",))),
    Variant("fp16-acc", "float16 sums",
            partial(ProductVariant, sequential, _capable(("float16",), {"float16": FP16_ACC}), accumulator=_HALF)),
    Variant("tf32", "operands rounded to TF32, and float32 sums",
            partial(ProductVariant, np.matmul, _capable(("float32",), {"float32": TF32_INPUTS}), prepare=_tf32)),
    *(
        Variant(f"winograd-f{tile}", f"tiles of {tile}×{tile} outputs where the kernel is 3×3",
                _transformed(partial(winograd, tile=tile), partial(winograd_weights, tile=tile),
                             suits_winograd, profile))
        for tile, profile in ((2, WINOGRAD_F2), (4, WINOGRAD_F4), (6, WINOGRAD_F6))
    ),
    Variant("fft", "Fourier transforms of the image", _transformed(fft, fft_weights, lambda _: True, FFT)),
    Variant("torch-native", "torch's own kernels", partial(FunctionBackend, torch_native, "torch-native")),
)  # fmt: skip
"""Every variant."""


def variant(name: str) -> Variant:
    """The variant of this name.

    Raises:
        KeyError: there is none.
    """
    return next(item for item in VARIANTS if item.name == name)
