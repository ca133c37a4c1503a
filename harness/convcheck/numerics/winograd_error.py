"""Rounding errors of Winograd's algorithm from what its transforms really sum, wherever the grid of tiles lies.

With U = G·w·Gᵀ and V = Bᵀ·d·B of a channel and a tile, an output is Σ_uv A_uv·Σ_c U·V, A_uv the product of the two
entries of Aᵀ. To first order each rounding δ on the way adds δ times a coefficient, and the coefficients of one level
of the computation, all roundings that each product passes in its turn, sum up to no more than

- Σ_uv |A_uv|·|U|·D for the data of one channel, D = |Bᵀ||d||B|, and Σ_uv |A_uv|·K·|V| for its taps, K = |G||w||Gᵀ|,
- |A_uv|·Σ_c |U||V| for the product and the sum over the channels at one place (u, v),
- Σ_uv |A_uv|·Σ_c |U||V| for the transform of the output, of all channels at once or of some at a time.

A level of independent roundings |δ| ≤ u of mean zero is sub-Gaussian with the squares of these (Higham & Mary 2019,
theorem 2.4, by the inequality of Azuma and Hoeffding), summed over what is rounded apart: channels, by Minkowski
√Σ_c(Σ_uv |A_uv||U|D)² ≤ Σ_uv |A_uv|·√Σ_c U²D², and places. Roundings of the matrices' own entries are the same in
every channel; they are taken at their worst, u for each of two dimensions. What is of second order is left to the
gauge of `convcheck.numerics.gauges`. Other matrices on the same points differ in factors of rows, which cancel in
each product, and where pixels of a tile lie outside of the image they are zeros.

A weight gradient sums over tiles what an output sums over channels: U = A·e·Aᵀ of a tile of gradients.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.profiles import Quantity
from convcheck.numerics.bounds import LAMBDA, gamma
from convcheck.numerics.toom_cook import TAPS, Transforms, transforms
from convcheck_reference.padding import pad, pad_adjoint
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]

_AT_ONCE: Final = 1 << 21
"""Transformed numbers that are in memory at once, about."""


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """What the roundings of the levels of a computation can add to each element, in units of u.

    Attributes:
        data: σ² of the roundings in the transforms of one operand: pixels.
        taps: of the other: taps, or gradients for a weight gradient.
        sums: of the products and their sums.
        back: of the transforms back.
        worst: the most that all of them add, and the entries of the matrices, if every rounding goes one way.
        entries: the most that the rounded entries of the matrices add.
    """

    data: Array
    taps: Array
    sums: Array
    back: Array
    worst: Array
    entries: Array

    def through(self, function: Callable[[Array], Array]) -> Levels:
        """Each of them through a linear function with coefficients that are not negative."""
        data, taps, sums, back = (function(np.sqrt(a)) ** 2 for a in (self.data, self.taps, self.sums, self.back))
        return Levels(data, taps, sums, back, function(self.worst), function(self.entries))

    @property
    def variance(self) -> Array:
        """σ² of all roundings together."""
        return np.asarray(self.data + self.taps + self.sums + self.back)


def worst_error(levels: Levels, u: float, roundings: int, magnitude: Array) -> Array:
    """The largest error if all roundings may go one way, up to u each.

    Args:
        levels: of the computation.
        u: the largest relative error of a rounding.
        roundings: that one product meets.
        magnitude: what all products sum up to in magnitude on their way, at most.
    """
    return np.asarray(u * levels.worst + (gamma(roundings, u) - roundings * u) * magnitude)


def usual_error(levels: Levels, u: float, roundings: int, magnitude: Array) -> Array:
    """The largest error of independent roundings of mean zero, with the arguments of `worst_error`."""
    first = LAMBDA * math.sqrt(roundings) * u
    # what exp(first + roundings·u²) − 1, the bound of theorem 2.4, has beyond the first order
    second = math.expm1(first + roundings * u * u) - first
    usual = u * (LAMBDA * np.sqrt(levels.variance) + levels.entries) + second * magnitude
    return np.minimum(usual, worst_error(levels, u, roundings, magnitude))


def winograd_levels(
    tile: int, quantity: Quantity, params: Conv2dParams, x: Array, weight: Array, grad: Array
) -> Levels:
    """What roundings on the way through Winograd's transforms may add to a quantity, shaped as the quantity.

    Args:
        tile: outputs along each side of a tile.
        quantity: any but grad_bias.
        params: the layer.
        x: (N, C, H, W) or (C, H, W).
        weight: (O, C/G, 3, 3).
        grad: of the output.
    """
    matrices = transforms(tile)
    padded = pad(x if x.ndim == 4 else x[None], params)
    batched = grad if grad.ndim == 4 else grad[None]
    if quantity == "grad_weight":
        return levels_of_weights(matrices.for_weights, params.groups, padded, batched)
    if quantity == "output":
        shape = params.output_shape(x.shape)
        return levels_of_outputs(matrices, params.groups, padded, weight).through(lambda a: a.reshape(shape))
    # the convolution of the gradient, with zeros around, with the flipped filters
    around = ((0, 0), (0, 0), (TAPS - 1, TAPS - 1), (TAPS - 1, TAPS - 1))
    filters = weight.reshape(params.groups, -1, *weight.shape[1:]).swapaxes(1, 2)[..., ::-1, ::-1]
    filters = filters.reshape(params.in_channels, -1, TAPS, TAPS)
    levels = levels_of_outputs(matrices, params.groups, np.pad(batched, around), filters)
    return levels.through(lambda a: pad_adjoint(a, params).reshape(x.shape))


def levels_of_outputs(matrices: Transforms, groups: int, pixels: Array, weight: Array) -> Levels:
    """The most over all places that an output has in its tile: (N, O, H − 2, W − 2).

    Args:
        matrices: of F(m, 3).
        groups: of the layer.
        pixels: padded, (N, C, H, W).
        weight: (O, C/G, 3, 3).
    """
    tile = len(matrices.output)
    size = tuple(count - TAPS + 1 for count in pixels.shape[-2:])
    found = [np.zeros((len(pixels), len(weight), *size)) for _ in range(6)]
    filters = _of_groups(_twice(matrices.kernel, weight), groups)
    wide = np.pad(pixels, ((0, 0), (0, 0), (tile - 1, tile - 1), (tile - 1, tile - 1)))
    starts = size[0] + tile - 1
    step = max(1, _AT_ONCE // max(1, pixels.shape[1] * (size[1] + tile - 1) * matrices.data.size * 2))
    for image in range(len(pixels)):
        for top in range(0, starts, step):
            rows = min(step, starts - top)
            block = _windows(wide[image : image + 1, :, top : top + rows + len(matrices.data) - 1], len(matrices.data))
            data = _of_groups(_twice(matrices.data, block[0].reshape(len(block[0]), -1, *block.shape[-2:])), groups)
            levels = _levels(matrices, filters, data)
            for level, into in zip(levels, found, strict=True):
                placed = level.reshape(tile, tile, len(weight), rows, -1)
                _keep_largest(into[image], placed, top - tile + 1)
    return Levels(*found)


def levels_of_weights(matrices: Transforms, groups: int, pixels: Array, grad: Array) -> Levels:
    """The most over all grids of tiles: (O, C/G, 3, 3).

    Args:
        matrices: of F(3, m).
        groups: of the layer.
        pixels: padded, (N, C, H, W).
        grad: of the outputs, (N, O, H − 2, W − 2).
    """
    tile, side = matrices.kernel.shape[1], len(matrices.data)
    shape = (grad.shape[1], pixels.shape[1] // groups, TAPS, TAPS)
    if not len(pixels):  # an empty batch sums nothing
        return Levels(*(np.zeros(shape) for _ in range(6)))
    found: list[tuple[Array, ...]] = []
    # as many zeros as the grid may begin before the first gradient, and end after the last
    around = ((0, 0), (0, 0), (tile - 1, tile - 1), (tile - 1, tile - 1))
    grads, images = _windows(np.pad(grad, around), tile), _windows(np.pad(pixels, around), side)
    for i, j in product(range(tile), repeat=2):
        left = _over_tiles(_twice(matrices.kernel, grads[:, :, i::tile, j::tile]), groups)
        right = _over_tiles(_twice(matrices.data, images[:, :, i::tile, j::tile]), groups, transposed=True)
        found.append(_levels(matrices, left, right))
    most = (reduce(np.maximum, level) for level in zip(*found, strict=True))
    return Levels(*(np.moveaxis(level.reshape(TAPS, TAPS, *level.shape[1:]), (0, 1), (-2, -1)).reshape(shape)
                    for level in most))  # fmt: skip


def _levels(matrices: Transforms, left: tuple[Array, Array], right: tuple[Array, Array]) -> tuple[Array, ...]:
    """The six of `Levels` for each place: (places, …), from operands (t², G, a, s) and (t², G, s, b) that s sums.

    Args:
        matrices: the transforms.
        left: what is transformed by `kernel`, and the sums of magnitudes in its transform.
        right: likewise by `data`.
    """
    (u, k), (v, d) = left, right
    u, v = np.abs(u), np.abs(v)
    summed, back = u.shape[-1], np.abs(matrices.output)
    product = u @ v
    of_data, of_taps, products = (_placed(back, array) for array in (u @ d, k @ v, product))
    # of one channel the root of the sum of squares is what it sums
    data = of_data if summed == 1 else _placed(back, np.sqrt(u**2 @ d**2))
    taps = of_taps if summed == 1 else _placed(back, np.sqrt(k**2 @ v**2))
    sums = _placed(back**2, product**2)
    rounds = [2 * _longest(matrix) for matrix in (matrices.data, matrices.kernel, matrices.output)]
    entries = 2.0 * (of_data + of_taps + products)
    worst = rounds[0] * of_data + rounds[1] * of_taps + (rounds[2] + summed + 1) * products + entries
    return rounds[0] * data**2, rounds[1] * taps**2, (summed + 1.0) * sums, rounds[2] * products**2, worst, entries


def _twice(matrix: Array, array: Array) -> tuple[Array, Array]:
    """The transform of the last two axes, and of their magnitudes by the magnitudes of the matrix: (…, t²)."""
    both, flat = np.kron(matrix, matrix).T, array.reshape(*array.shape[:-2], -1)
    return flat @ both, np.abs(flat) @ np.abs(both)


def _of_groups(arrays: tuple[Array, Array], groups: int) -> tuple[Array, Array]:
    """From (A, B, t²) to (t², G, A/G, B)."""
    first, second = (np.moveaxis(a.reshape(groups, -1, *a.shape[1:]), -1, 0) for a in arrays)
    return np.ascontiguousarray(first), np.ascontiguousarray(second)


def _over_tiles(arrays: tuple[Array, Array], groups: int, *, transposed: bool = False) -> tuple[Array, Array]:
    """From (N, A, rows, columns, t²) to (t², G, A/G, tiles of all images), or with the last two axes swapped."""
    flat = (a.transpose(4, 1, 0, 2, 3).reshape(a.shape[-1], groups, a.shape[1] // groups, -1) for a in arrays)
    first, second = (np.ascontiguousarray(a.swapaxes(-1, -2) if transposed else a) for a in flat)
    return first, second


def _windows(array: Array, side: int) -> Array:
    return np.lib.stride_tricks.sliding_window_view(array, (side, side), axis=(-2, -1))


def _placed(back: Array, array: Array) -> Array:
    """Σ_uv back_au·back_bv times an array (t², …, b) for each place a, b: (places, rest, b)."""
    places, side = back.shape
    rows = (back @ array.reshape(side, -1)).reshape(places, side, -1)
    return np.asarray((back @ rows).reshape(places**2, -1, array.shape[-1]))


def _longest(matrix: Array) -> int:
    """Most entries of a row: a product each and an addition less, so roundings of one dimension."""
    return int(np.count_nonzero(matrix, axis=1).max())


def _keep_largest(into: Array, placed: Array, top: int) -> None:
    """The maximum with what tiles that begin `top` rows and m − 1 columns from the first output give each output.

    Args:
        into: (O, oh, ow), changed in place.
        placed: by place in the tile and its beginning, (m, m, O, rows, ow + m − 1).
        top: row of the first tile, in outputs.
    """
    tile = len(placed)
    height, width = into.shape[-2:]
    for a, b in product(range(tile), repeat=2):
        first = max(0, -(top + a))
        last = min(placed.shape[-2], height - top - a)
        if last > first:
            rows = into[:, top + a + first : top + a + last]
            np.maximum(rows, placed[a, b][:, first:last, tile - 1 - b : tile - 1 - b + width], out=rows)
