"""Convolution by Winograd's minimal filtering and by Fourier transforms.

Both transform operands, multiply, and transform back, so their rounding errors follow other laws than
those of a sum of products. Sources: Lavin & Gray, Fast Algorithms for Convolutional Neural Networks
(2016), section 4; Winograd's filters as transposed Toom-Cook algorithms, after Blahut, Fast Algorithms
for Signal Processing (2010), section 5.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck_reference.convolution import im2col
from convcheck_reference.padding import pad
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]

_TAPS: Final = 3
_POINTS: Final = tuple(map(Fraction, ("0", "1", "-1", "2", "-2", "1/2", "-1/2")))


@dataclass(frozen=True, slots=True, eq=False)
class Transforms:
    """The matrices of F(m, 3): y = Aᵀ[(G·g) ⊙ (Bᵀ·d)], from m + 2 pixels to m outputs.

    Attributes:
        output: Aᵀ, (m, m + 2).
        kernel: G, (m + 2, 3).
        data: Bᵀ, (m + 2, m + 2).
    """

    output: Array
    kernel: Array
    data: Array


@lru_cache
def transforms(tile: int) -> Transforms:
    """The matrices of F(tile, 3) in float64, from the points 0, ±1, ±2, ±1/2 and infinity.

    Toom-Cook multiplies polynomials through their values at m + 2 points; transposed, it filters. With
    N_j = ∏ (p_j − p_k), row j of G is (1, p, p²)/N_j, column j of Aᵀ the powers of p_j, and row j of Bᵀ
    the coefficients of ∏ (x − p_k); infinity takes the leading coefficients.
    """
    points = _POINTS[: tile + _TAPS - 2]
    size = len(points) + 1
    data, kernel, output = [], [], []
    for point in points:
        others = [p for p in points if p != point]
        scale = _product(point - p for p in others)
        data.append([*_coefficients(others), Fraction(0)])
        kernel.append([point**power / scale for power in range(_TAPS)])
        output.append([point**power for power in range(tile)])
    data.append(_coefficients(points))
    kernel.append([Fraction(0)] * (_TAPS - 1) + [Fraction(1)])
    output.append([Fraction(0)] * (tile - 1) + [Fraction(1)])
    assert all(len(row) == size for row in data)
    as_floats = (np.array([[float(v) for v in row] for row in rows]) for rows in (output, kernel, data))
    a, g, b = as_floats
    return Transforms(a.T, g, b)


def winograd(x: Array, weight: Array, params: Conv2dParams, tile: int) -> Array:
    """The output, without bias, by F(tile × tile, 3 × 3) in the dtype of x: (N, O, oh, ow).

    Args:
        x: (N, C, H, W).
        weight: (O, C/G, 3, 3).
        params: a layer that `suits_winograd`.
        tile: outputs along each side of a tile.
    """
    dtype = x.dtype
    matrices = transforms(tile)
    a, g, b = (m.astype(dtype) for m in (matrices.output, matrices.kernel, matrices.data))
    oh, ow = params.output_size(*x.shape[-2:])
    tiles = -(-oh // tile), -(-ow // tile)
    padded = pad(x, params)
    needed = [n * tile + _TAPS - 1 - size for n, size in zip(tiles, padded.shape[-2:], strict=True)]
    padded = np.pad(padded, ((0, 0), (0, 0), (0, max(0, needed[0])), (0, max(0, needed[1]))))
    blocks = np.lib.stride_tricks.sliding_window_view(padded, (tile + 2, tile + 2), axis=(-2, -1))
    blocks = blocks[:, :, : tiles[0] * tile : tile, : tiles[1] * tile : tile]
    data = b @ blocks @ b.T
    kernel = g @ weight @ g.T
    groups = params.groups
    data = data.reshape(x.shape[0], groups, -1, *data.shape[2:])
    kernel = kernel.reshape(groups, params.out_channels // groups, *kernel.shape[1:])
    product = np.einsum("ngchwij,gocij->ngohwij", data, kernel)
    out = a @ product @ a.T
    out = out.transpose(0, 1, 2, 3, 5, 4, 6).reshape(x.shape[0], params.out_channels, tiles[0] * tile, -1)
    return np.asarray(out[..., :oh, :ow])


def suits_winograd(params: Conv2dParams) -> bool:
    """Whether the layer is 3×3 with stride and dilation 1; every other one is computed directly."""
    return params.kernel_size == (_TAPS, _TAPS) and params.stride == params.dilation == (1, 1)


def fft(x: Array, weight: Array, params: Conv2dParams) -> Array:
    """The output, without bias, through Fourier transforms of the padded image: (N, O, oh, ow).

    A correlation is the inverse transform of the product with the conjugate; the dilated kernel is laid
    out with zeros between its taps, and the stride picks from the result.
    """
    padded = pad(x, params)
    height, width = padded.shape[-2:]
    (sh, sw), (dh, dw) = params.stride, params.dilation
    oh, ow = params.output_size(*x.shape[-2:])
    spread = np.zeros((*weight.shape[:2], height, width), weight.dtype)
    spread[..., : params.extent[0] : dh, : params.extent[1] : dw] = weight
    groups = params.groups
    image = np.fft.rfft2(padded).reshape(x.shape[0], groups, -1, height, width // 2 + 1)
    kernel = np.fft.rfft2(spread).reshape(groups, params.out_channels // groups, -1, height, width // 2 + 1)
    product = np.einsum("ngchw,gochw->ngohw", image, kernel.conj())
    full = np.fft.irfft2(product, (height, width)).reshape(x.shape[0], params.out_channels, height, width)
    return np.asarray(full[..., : sh * (oh - 1) + 1 : sh, : sw * (ow - 1) + 1 : sw].astype(x.dtype))


def direct(x: Array, weight: Array, params: Conv2dParams) -> Array:
    """The output, without bias, as a matrix product in the dtype of x."""
    matrix = weight.reshape(params.groups, params.out_channels // params.groups, params.fan_in)
    return (matrix @ im2col(x, params)).reshape(params.output_shape(x.shape))


def _coefficients(roots: Any) -> list[Fraction]:
    """Of ∏ (x − root), the constant first."""
    found = [Fraction(1)]
    for root in roots:
        shifted = [Fraction(0), *found]
        found = [s - root * f for s, f in zip(shifted, [*found, Fraction(0)], strict=True)]
    return found


def _product(values: Any) -> Fraction:
    total = Fraction(1)
    for value in values:
        total *= value
    return total
