"""Kernels that declare a wide promise and keep none: coarser than transforms, or than rounded operands, make them."""

from dataclasses import replace
from functools import partial

import numpy as np

from convcheck import Capabilities
from convcheck.defects.deviations import rounded
from convcheck.evaluation.fast_algorithms import _tiles, fft, fft_weights, winograd_weights
from convcheck.evaluation.variant_backends import ProductVariant, TransformVariant
from convcheck.model.profiles import FFT, PROFILES, TF32_INPUTS
from convcheck.numerics.toom_cook import TAPS, suits_winograd, transforms
from convcheck_reference.padding import pad


def same(array):
    return array


def to(name):
    """Rounds float32 to a coarser format."""
    return lambda array: rounded(array, name).astype(np.float32)


def summed_at_once(kernel, data):
    return np.einsum("ngchwij,gocij->ngohwij", data, kernel)


def summed_in_half(kernel, data):
    """The last column of tiles in float16, one channel after the other."""
    found = summed_at_once(kernel, data)
    last, taps = data[..., -1, :, :].astype(np.float16), kernel.astype(np.float16)
    total = np.zeros(found[..., -1, :, :].shape, np.float16)
    for c in range(kernel.shape[2]):
        total = total + last[:, :, None, c] * taps[None, :, :, c, None]
    found[..., -1, :, :] = total
    return found


def winograd(x, weight, params, tile, matrices=None, of_operands=same, summed=summed_at_once):
    """As `fast_algorithms.winograd`, with matrices, rounding of what is transformed and sums of one's own."""
    matrices = matrices or transforms(tile)
    a, g, b = (m.astype(x.dtype) for m in (matrices.output, matrices.kernel, matrices.data))
    oh, ow = params.output_size(*x.shape[-2:])
    data = of_operands(b @ _tiles(pad(x, params), tile, TAPS, (oh, ow)) @ b.T)
    kernel = of_operands(g @ weight @ g.T)
    data = data.reshape(len(x), params.groups, -1, *data.shape[2:])
    out = a @ summed(kernel.reshape(params.groups, -1, *kernel.shape[1:]), data) @ a.T
    out = out.transpose(0, 1, 2, 3, 5, 4, 6).reshape(len(x), params.out_channels, tile * data.shape[3], -1)
    return out[..., :oh, :ow]


def with_a_wrong_entry(tile, which, at, by):
    """Matrices of F(tile, 3) with one entry changed relatively."""
    matrices = transforms(tile)
    changed = getattr(matrices, which).copy()
    changed[at] *= 1 + by
    return replace(matrices, **{which: changed})


def scaled(tile, factors):
    """Other matrices on the same points: rows multiplied, and divided again in the transform back."""
    matrices = transforms(tile)
    left, right = (np.resize(f, tile + TAPS - 1)[:, None] for f in factors)
    return replace(
        matrices, kernel=matrices.kernel * left, data=matrices.data * right, output=matrices.output / (left * right).T
    )


def declaring(profile, dtypes=("float32",)):
    return Capabilities(dtypes=dtypes, gradients=True, nonfinite=False, profiles=dict.fromkeys(dtypes, profile))


def winograd_kernel(declared, tile=None, **how):
    """A backend that declares F(declared, 3) and computes F(tile, 3) in a way of its own."""
    tile = tile or declared
    return TransformVariant(
        partial(winograd, tile=tile, **how),
        partial(winograd_weights, tile=tile),
        suits_winograd,
        declaring(PROFILES[f"winograd-f{declared}"]),
    )


def fft_kernel(of_operands):
    """A backend that declares Fourier transforms of operands that it rounds first."""

    def imprecise(x, weight, params):
        return fft(of_operands(x), of_operands(weight), params)

    return TransformVariant(imprecise, fft_weights, lambda _: True, declaring(FFT))


class LongSums(ProductVariant):
    """Rounds operands to TF32, and to something coarser where it sums many products."""

    def __init__(self, coarser, least=64):
        super().__init__(np.matmul, declaring(TF32_INPUTS))
        self._product = self._multiplied
        self._coarser, self._least = coarser, least

    def _multiplied(self, a, b):
        prepare = self._coarser if a.shape[-1] >= self._least else to("tf32")
        return np.matmul(prepare(a), prepare(b))


def tf32_kernel(coarser, least=64):
    return LongSums(coarser, least)


def summed_in_float16(a, b):
    """A product of matrices with operands in TF32 and sums in float16, in blocks of 32."""
    total = np.zeros((*a.shape[:-1], b.shape[-1]), np.float16)
    for k in range(0, a.shape[-1], 32):
        total = total + (a[..., k : k + 32] @ b[..., k : k + 32, :]).astype(np.float16)
    return total.astype(np.float32)


def tf32_kernel_with_half_sums():
    return ProductVariant(summed_in_float16, declaring(TF32_INPUTS), prepare=to("tf32"))


KERNELS = {
    **{f"F{m}, transformed values in {fmt}": partial(winograd_kernel, m, of_operands=to(fmt))
       for m in (2, 4, 6) for fmt in ("tf32", "float16", "bfloat16")},
    **{f"F{m}, an entry of {which} off by 1e-4": partial(
        winograd_kernel, m, matrices=with_a_wrong_entry(m, which, at, 1e-4))
       for m in (2, 4, 6) for which, at in (("kernel", (1, 1)), ("data", (0, 0)), ("output", (1, 1)))},
    **{f"F{m}, a column of tiles summed in float16": partial(winograd_kernel, m, summed=summed_in_half)
       for m in (2, 4, 6)},
    "TF32, bfloat16 operands in sums of 64 and more": partial(tf32_kernel, to("bfloat16")),
    "TF32, sums in float16 by blocks of 32": tf32_kernel_with_half_sums,
    **{f"FFT of operands in {fmt}": partial(fft_kernel, to(fmt)) for fmt in ("tf32", "bfloat16")},
    "declares F2, computes F4": partial(winograd_kernel, 2, 4),
    "declares F4, computes F6": partial(winograd_kernel, 4, 6),
}  # fmt: skip
"""Every one of them, by what it does."""
