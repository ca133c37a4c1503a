"""Legal variants: convolutions that compute in another order, or in another format, than the reference.

Each really computes that way, output and gradients, in the narrow dtype, and declares its honest
profile. A harness that reports one of them raises a false alarm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.defects.deviations import rounded
from convcheck.evaluation.cudnn_like import CudnnLike
from convcheck.evaluation.fast_algorithms import (
    Algorithm,
    Weights,
    fft,
    fft_weights,
    winograd,
    winograd_weights,
)
from convcheck.evaluation.variant_backends import (
    ChannelsLastVariant,
    DirectVariant,
    Product,
    ProductVariant,
    TransformVariant,
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
from convcheck.plugin.backend import Backend
from convcheck.plugin.function_backend import FunctionBackend, capabilities
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]

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
    Variant("cudnn-like", "the numerics of torch on CUDA", CudnnLike),
    Variant("torch-native", "torch's own kernels", partial(FunctionBackend, torch_native, "torch-native")),
)  # fmt: skip
"""Every variant."""


def variant(name: str) -> Variant:
    """The variant of this name.

    Raises:
        KeyError: there is none.
    """
    return next(item for item in VARIANTS if item.name == name)
