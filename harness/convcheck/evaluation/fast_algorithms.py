"""Convolution by Winograd's minimal filtering and by Fourier transforms.

Both transform operands, multiply, and transform back, so their rounding errors follow other laws than
those of a sum of products. Source: Lavin & Gray, Fast Algorithms for Convolutional Neural Networks
(2016), section 4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convcheck.numerics.toom_cook import TAPS, transforms
from convcheck_reference.padding import pad, pad_adjoint
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]
Algorithm: TypeAlias = Callable[[Array, Array, Conv2dParams], Array]
"""From x (N, C, H, W), weight and layer to the output without bias."""
Weights: TypeAlias = Callable[[Array, Array, Conv2dParams], Array]
"""From grad_output (N, O, oh, ow), x and layer to the gradient of the weight."""


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
    data = b @ _tiles(pad(x, params), tile, TAPS, (oh, ow)) @ b.T
    kernel = g @ weight @ g.T
    groups = params.groups
    data = data.reshape(x.shape[0], groups, -1, *data.shape[2:])
    kernel = kernel.reshape(groups, params.out_channels // groups, *kernel.shape[1:])
    product = np.einsum("ngchwij,gocij->ngohwij", data, kernel)
    out = a @ product @ a.T
    rows = tile * data.shape[3]
    out = out.transpose(0, 1, 2, 3, 5, 4, 6).reshape(x.shape[0], params.out_channels, rows, -1)
    return np.asarray(out[..., :oh, :ow])


def winograd_weights(grad: Array, x: Array, params: Conv2dParams, tile: int) -> Array:
    """The gradient of the weight by F(3 × 3, tile × tile) in the dtype of x: (O, C/G, 3, 3).

    Args:
        grad: (N, O, oh, ow), of the output.
        x: (N, C, H, W).
        params: a layer that `suits_winograd`.
        tile: gradients of outputs along each side of a tile.
    """
    matrices = transforms(tile).for_weights
    g, a, b = (m.astype(x.dtype) for m in (matrices.output, matrices.kernel, matrices.data))
    size = grad.shape[-2:]
    data = b @ _tiles(pad(x, params), tile, TAPS, size) @ b.T
    outer = a @ _tiles(grad, tile, 1, size) @ a.T
    data, outer = (t.reshape(len(x), params.groups, -1, *t.shape[2:]) for t in (data, outer))
    product = np.einsum("ngohwij,ngchwij->gocij", outer, data)
    return np.asarray((g @ product @ g.T).reshape(params.weight_shape))


def _tiles(array: Array, tile: int, taps: int, size: tuple[int, ...]) -> Array:
    """The pixels that each tile of results reads, with zeros after the last.

    Args:
        array: (N, C, H, W).
        tile: results along each side of a tile.
        taps: along each side of the kernel.
        size: of the results.

    Returns:
        (N, C, rows, columns, side, side) with side = tile + taps − 1.
    """
    rows, columns = (-(-count // tile) * tile for count in size)
    needed = [count + taps - 1 - have for count, have in zip((rows, columns), array.shape[-2:], strict=True)]
    wide = np.pad(array, ((0, 0), (0, 0), (0, max(0, needed[0])), (0, max(0, needed[1]))))
    side = tile + taps - 1
    windows = np.lib.stride_tricks.sliding_window_view(wide, (side, side), axis=(-2, -1))
    return windows[:, :, :rows:tile, :columns:tile]


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


def fft_weights(grad: Array, x: Array, params: Conv2dParams) -> Array:
    """The gradient of the weight through Fourier transforms: (O, C/G, kh, kw).

    It is a convolution in which channels and images change places, as do stride and dilation, and gradients
    are the taps.
    """
    padded, groups = pad(x, params), params.groups
    into, out = params.in_channels // groups, params.out_channels // groups
    layer = Conv2dParams(len(x), out, grad.shape[-2:], params.dilation, 0, params.stride)
    images, taps = padded.swapaxes(0, 1), grad.swapaxes(0, 1)
    found = [
        fft(images[g * into : (g + 1) * into], taps[g * out : (g + 1) * out], layer).swapaxes(0, 1)
        for g in range(groups)
    ]
    kh, kw = params.kernel_size
    return np.concatenate(found)[..., :kh, :kw]


def transposed(
    algorithm: Algorithm, grad: Array, weight: Array, params: Conv2dParams, height: int, width: int
) -> Array:
    """The gradient of the input by an algorithm for outputs: (N, C, height, width).

    It is the convolution of grad_output, with zeros between its pixels for the stride and around it, with
    the flipped filters (Dumoulin & Visin 2016, section 4).
    """
    padded = [size + sum(pads) for size, pads in zip((height, width), params.padding, strict=True)]
    spread = np.zeros((*grad.shape[:2], *(p - e + 1 for p, e in zip(padded, params.extent, strict=True))), grad.dtype)
    (sh, sw), (oh, ow) = params.stride, grad.shape[-2:]
    spread[..., : sh * (oh - 1) + 1 : sh, : sw * (ow - 1) + 1 : sw] = grad
    full = tuple(extent - 1 for extent in params.extent)
    layer = Conv2dParams(
        params.out_channels, params.in_channels, params.kernel_size, 1, full, params.dilation, params.groups
    )
    grouped = weight.reshape(params.groups, -1, *weight.shape[1:]).swapaxes(1, 2)
    flipped = np.ascontiguousarray(grouped[..., ::-1, ::-1]).reshape(layer.weight_shape)
    return pad_adjoint(algorithm(spread, flipped, layer), params)
