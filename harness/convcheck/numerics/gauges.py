"""Rounding errors of fast algorithms: they follow what the transforms sum up, not Σ|a||b| of one window.

**Winograd.** Each product passes at most d roundings on its way through the transforms and the sum over
the channels, so the error is at most T(d) times what the transforms sum in magnitude (Higham 2002, lemma
3.1; T as in `convcheck.numerics.bounds`). That sum is at most Λ·S∞, with S∞ = Σ_c max|x_c|·max|w_c| over
the pixels of any tile that the output may lie in, and Λ the amplification of the transforms. A weight
gradient sums over tiles t: at most Λ·S∞ with S∞ = Σ_t max|x_t|·max|grad_t|, of the transforms of F(3, m) and
for the worst place of the grid of tiles, which is regular. Integers are sized by that; how far reals may be off
follows from what the transforms really sum (`convcheck.numerics.winograd_error`).

**FFT.** A transform of N points has a relative error in the 2-norm of t·η, t = log₂N, η = u + γ₄·(√2 + u)
(Higham 2002, theorem 24.2). Both forward transforms change an output by at most t·η·Σ_c‖x_c‖‖w_c‖ each
(Cauchy–Schwarz), the products and sums over C channels by γ_{C+3} of the same. The inverse transform
starts from a spectrum of norm ≤ √(N·K)·Σ_c‖x_c‖‖w_c‖ for K taps; its error is spread over N elements by
orthogonal stages, so that each gets t·η·√K·min(1, λ/√N) of it, λ as in `bounds`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.profiles import Algorithm, Profile, Quantity
from convcheck.numerics.bounds import LAMBDA, accumulation_error, gamma
from convcheck.numerics.reduction_length import copies, reduction_lengths
from convcheck.numerics.toom_cook import TAPS, suits_winograd, transforms
from convcheck_reference.padding import pad, pad_adjoint
from convcheck_reference.params import Conv2dParams, Shape

Array = NDArray[Any]

_TILES: Final = {Algorithm.WINOGRAD_F2: 2, Algorithm.WINOGRAD_F4: 4, Algorithm.WINOGRAD_F6: 6}


@dataclass(frozen=True, slots=True)
class Law:
    """How the rounding error of a quantity is bounded under a fast algorithm.

    Attributes:
        error: the largest error relative to the gauge of this algorithm.
        roundings: that one product meets on its way.
        growth: how much larger than the gauge numbers on the way can be.
        ceiling: the most that the gauge can be, relative to n·max|a|·max|b| with n of `reduction_lengths`; None where
            integers are not sized by it.
        denominator: makes every number on the way an integer where the operands are; None if none does.
    """

    error: float
    roundings: int
    growth: float
    ceiling: float | None
    denominator: int | None


def in_use(profile: Profile, quantity: Quantity, params: Conv2dParams) -> Algorithm:
    """The algorithm that the profile uses for one quantity of a layer."""
    if quantity == "grad_bias" or (profile.algorithm in _TILES and not suits_winograd(params)):
        return Algorithm.DIRECT
    return profile.algorithm


def tiles_of(algorithm: Algorithm) -> tuple[int, ...]:
    """Outputs along each side of the tiles of Winograd's algorithm: an engine may take smaller ones for some layers."""
    return tuple(tile for tile in _TILES.values() if tile <= _TILES[algorithm])


def spreads(profile: Profile, quantity: Quantity, params: Conv2dParams) -> str:
    """Why NaN and ±Inf may show outside their receptive field; empty if they may not."""
    algorithm = in_use(profile, quantity, params)
    if algorithm is Algorithm.DIRECT:
        return ""
    where = "image" if algorithm is Algorithm.FFT else "tile"
    return f"NaN and infinities spread over the {where} under profile {profile.name}"


def law(
    profile: Profile,
    quantity: Quantity,
    params: Conv2dParams,
    input_shape: Shape,
    accumulation: Callable[[Profile, int], float] = accumulation_error,
) -> Law:
    """The law of a quantity under an algorithm other than DIRECT; `accumulation` is T of `bounds`."""
    algorithm = in_use(profile, quantity, params)
    if algorithm not in _TILES:
        return _fft(profile, quantity, params, input_shape)
    tile = _TILES[algorithm]
    if quantity == "grad_weight":
        return _winograd_weights(tile, profile, params, input_shape, accumulation)
    return _winograd(tile, profile, quantity, params, input_shape, accumulation)


def gauge(
    algorithm: Algorithm, quantity: Quantity, params: Conv2dParams, x: Array, weight: Array, grad: Array
) -> Array:
    """The gauge of a quantity under an algorithm other than DIRECT, shaped as the quantity.

    Args:
        algorithm: as `in_use` gives it.
        quantity: any but grad_bias.
        params: the layer.
        x: |x|, (N, C, H, W) or (C, H, W).
        weight: |w|.
        grad: |grad_output|.
    """
    padded = pad(x if x.ndim == 4 else x[None], params)
    batched = grad if grad.ndim == 4 else grad[None]
    size = padded.shape[-2:] if quantity == "grad_input" else params.output_size(*x.shape[-2:])
    if algorithm in _TILES and quantity == "grad_weight":
        found = _grid_gauge(_TILES[algorithm], params.groups, padded, batched)
        found = np.broadcast_to(found[..., None, None], weight.shape)
    elif algorithm in _TILES:
        found = _tile_gauge(_TILES[algorithm], quantity, params.groups, size, padded, weight, batched)
    else:
        found = _norm_gauge(quantity, params.groups, size, padded, weight, batched)
    if quantity == "grad_input":
        found = pad_adjoint(found, params)
    shape = {"output": params.output_shape(x.shape), "grad_input": x.shape}.get(quantity, weight.shape)
    return found.reshape(shape)


def integer_room(profile: Profile, quantity: Quantity, params: Conv2dParams, input_shape: Shape) -> float:
    """The largest n·max|a|·max|b| for which integers are surely known from their result.

    Exact where every number on the way is a multiple of a power of two, else with an error below 1/2.
    Infinite for DIRECT, whose limit is that of the accumulator, and for weight gradients by Winograd: as they sum
    over images, few integers would be small enough, and all other quantities would suffer for them.
    """
    if in_use(profile, quantity, params) is Algorithm.DIRECT:
        return math.inf
    found = law(profile, quantity, params, input_shape)
    if not found.ceiling:  # nothing is summed, or nothing sized
        return math.inf
    if found.denominator is not None:
        return 2.0**profile.accumulator.precision / (found.growth * found.denominator * found.ceiling)
    return 0.5 / (found.error * found.ceiling)


def _winograd(
    tile: int,
    profile: Profile,
    quantity: Quantity,
    params: Conv2dParams,
    input_shape: Shape,
    accumulation: Callable[[Profile, int], float],
) -> Law:
    matrices = transforms(tile)
    channels = (params.in_channels if quantity == "output" else params.out_channels) // params.groups
    roundings = matrices.depth + channels + 1
    return Law(
        error=accumulation(profile, roundings) * matrices.amplification,
        roundings=roundings,
        growth=matrices.amplification,
        ceiling=channels * _summed(quantity, params, input_shape),
        denominator=matrices.denominator,
    )


def _winograd_weights(
    tile: int,
    profile: Profile,
    params: Conv2dParams,
    input_shape: Shape,
    accumulation: Callable[[Profile, int], float],
) -> Law:
    matrices = transforms(tile).for_weights
    size = params.output_size(*input_shape[-2:])
    batch = input_shape[0] if len(input_shape) == 4 else 1
    # of a grid that begins anywhere
    tiles = batch * math.prod(-(-(count + tile - 1) // tile) for count in size)
    roundings = matrices.depth + tiles + 1
    return Law(
        error=accumulation(profile, roundings) * matrices.amplification,
        roundings=roundings,
        growth=matrices.amplification,
        ceiling=None,
        denominator=matrices.denominator,
    )


def _fft(profile: Profile, quantity: Quantity, params: Conv2dParams, input_shape: Shape) -> Law:
    padded = [size + sum(pads) for size, pads in zip(input_shape[-2:], params.padding, strict=True)]
    points = math.prod(2 ** math.ceil(math.log2(p + e)) for p, e in zip(padded, params.extent, strict=True))
    windows = math.prod(params.output_size(*input_shape[-2:]))
    batch = input_shape[0] if len(input_shape) == 4 else 1
    taps, summed = {
        "output": (math.prod(params.kernel_size), params.in_channels // params.groups),
        "grad_input": (math.prod(params.kernel_size), params.out_channels // params.groups),
    }.get(quantity, (windows, batch))
    u = profile.accumulator.unit_roundoff
    transform = math.log2(points) * (u + gamma(4, u) * (math.sqrt(2.0) + u))
    inverse = math.sqrt(taps) * min(1.0, LAMBDA / math.sqrt(points))
    other = windows if quantity == "grad_input" else math.prod(padded)
    return Law(
        error=transform * (2.0 + inverse) + gamma(summed + 3, u),
        roundings=summed + 3,
        growth=float(points),
        ceiling=summed * math.sqrt(other * taps) * _summed(quantity, params, input_shape),
        denominator=None,
    )


def _summed(quantity: Quantity, params: Conv2dParams, input_shape: Shape) -> float:
    """How often the gauge is summed over the copies of a pixel, relative to the number of products."""
    times = int(copies(params, *input_shape[-2:]).max(initial=1)) if quantity == "grad_input" else 1
    return times / reduction_lengths(params, input_shape)[quantity]


def _tile_gauge(
    tile: int, quantity: Quantity, groups: int, size: tuple[int, ...], padded: Array, weight: Array, grad: Array
) -> Array:
    """S∞: the pixels that share a tile with the window of an output lie up to m − 1 before it and after it."""
    taps = weight.max(axis=(2, 3)).reshape(groups, -1, weight.shape[1])
    if quantity == "output":
        largest = _window_max(padded, tile - 1, tile + TAPS - 2, size)
    else:
        largest = _window_max(grad, tile + TAPS - 2, tile - 1, size)
        taps = taps.swapaxes(-1, -2)
    flat = largest.reshape(len(largest), groups, taps.shape[-1], math.prod(size))
    return np.asarray(taps @ flat).reshape(len(largest), groups * taps.shape[-2], *size)


def _grid_gauge(tile: int, groups: int, padded: Array, grad: Array) -> Array:
    """S∞ of weight gradients, (O, C/G): the most over all places of the grid of tiles."""
    first = tile - 1
    size = tuple(count + first for count in grad.shape[-2:])
    before = ((0, 0), (0, 0), (first, 0), (first, 0))
    grads = _window_max(np.pad(grad, before), 0, tile - 1, size)
    pixels = _window_max(np.pad(padded, before), 0, tile + TAPS - 2, size)
    grids = (
        _products(grads[..., i::tile, j::tile], pixels[..., i::tile, j::tile], groups)
        for i in range(tile)
        for j in range(tile)
    )
    return np.asarray(np.maximum.reduce(list(grids))).reshape(grad.shape[1], -1)


def _products(grads: Array, images: Array, groups: int) -> Array:
    """Σ over images and pixels of their products, (G, O/G, C/G)."""
    batch, pixels = len(grads), grads[0, 0].size if len(grads) else 0
    left, right = (array.reshape(batch, groups, array.shape[1] // groups, pixels) for array in (grads, images))
    return np.asarray((left @ right.swapaxes(-1, -2)).sum(axis=0))


def _window_max(array: Array, before: int, after: int, size: tuple[int, ...]) -> Array:
    """The maximum over rows i − before … i + after, and columns alike, for each pixel (i, j) of `size`."""
    found = array
    for axis, count in ((-2, size[0]), (-1, size[1])):
        widths = [(0, 0)] * found.ndim
        widths[axis] = (before, max(0, count + after - found.shape[axis]))
        wide = np.moveaxis(np.pad(found, widths), axis, -1)
        shifted = [wide[..., at : at + count] for at in range(before + after + 1)]
        found = np.moveaxis(np.maximum.reduce(shifted), -1, axis)
    return np.ascontiguousarray(found)


def _norm_gauge(
    quantity: Quantity, groups: int, size: tuple[int, ...], padded: Array, weight: Array, grad: Array
) -> Array:
    """Σ‖a‖₂‖b‖₂ over what is summed, the same for all pixels or taps."""
    filters = np.sqrt((weight**2).sum(axis=(2, 3))).reshape(groups, -1, weight.shape[1])
    images = np.sqrt((padded**2).sum(axis=(2, 3))).reshape(len(padded), groups, filters.shape[2], 1)
    if quantity == "output":
        summed = filters @ images
        return np.broadcast_to(summed.reshape(len(padded), len(weight), 1, 1), (len(padded), len(weight), *size))
    grads = np.sqrt((grad**2).sum(axis=(2, 3))).reshape(len(grad), groups, filters.shape[1], 1)
    if quantity == "grad_input":
        summed = filters.swapaxes(-1, -2) @ grads
        return np.broadcast_to(summed.reshape(*padded.shape[:2], 1, 1), (*padded.shape[:2], *size))
    summed = (grads @ images.swapaxes(-1, -2)).sum(axis=0)
    return np.broadcast_to(summed.reshape(*weight.shape[:2], 1, 1), weight.shape)
