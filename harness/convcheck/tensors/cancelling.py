"""Integers whose sums cancel: small results of partial sums that fill the accumulator.

An accumulator of q bits rounds an odd partial sum above 2^q. Where the dtype has fewer bits than the accumulator
should have, that shows in two ways: as a result that is rounded otherwise, which is rare where results are large, or
as a result that is off by as much, where it is small enough to be a number of the dtype. Random terms make results
as large as their partial sums. So channels, filters and images are paired at random, far apart, and for each pair

    x = X + e, the same X in both channels and in both images,
    w = ±W + e, of opposite signs in both channels and in both filters,
    dy = ±D + e, the same D in both filters, of opposite signs in both images.

Then pairs of products cancel in every sum over channels, filters and images, whatever the window, and a sum that is
cut between the members of its pairs is as large as one of random terms. What is left has a root mean square of
√(2n)·M·E/3 for magnitudes M and noise E: about 2^11 for noise of ±1, as M·√n is 2^12 at most. Sums over the taps of
one channel have no pairs: they show where noise is so loud that results fill the dtype, as far as they are finite.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.model.case import Case
from convcheck.tensors.integer_sizes import Sizes

Array = NDArray[Any]


def cancelling(case: Case, sizes: Sizes, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Draw x (N, C, H, W) or (C, H, W), weight (O, C/G, kh, kw) and grad_output, of the sizes given.

    Args:
        case: a legal case.
        sizes: of its integers.
        rng: draws which noise it is, loud or ±1, and everything else.
    """
    params, groups = case.params, case.params.groups
    noise = sizes.noise if rng.integers(2) else dict.fromkeys(sizes.noise, 1)
    channels, of_channel = _pairs(rng, groups, params.in_channels // groups, cancel="output" in sizes.cancelling)
    filters, of_filter = _pairs(rng, groups, params.out_channels // groups, cancel="grad_input" in sizes.cancelling)
    images, of_image = _pairs(rng, 1, case.batch, cancel="grad_weight" in sizes.cancelling)

    def drawn(name: str, shape: tuple[int, ...]) -> Array:
        return _nonzero(rng, shape, max(1, sizes.magnitudes[name] - noise[name]))

    def with_noise(name: str, base: Array, shape: tuple[int, ...]) -> Array:
        least = min(noise[name], sizes.magnitudes[name] - 1)
        return base.reshape(shape) + rng.integers(-least, least, shape, endpoint=True)

    pixels = case.input_shape[-2:]
    x = drawn("x", (case.batch, params.in_channels, *pixels))[images[:, None], channels]
    within = channels.reshape(groups, -1) - np.arange(groups)[:, None] * (params.in_channels // groups)
    group = np.arange(params.out_channels) // (params.out_channels // groups)
    weight = drawn("weight", params.weight_shape)[filters[:, None], within[group]]
    sign = np.where(of_filter == 0, 1, of_filter)[:, None] * of_channel.reshape(groups, -1)[group]
    weight *= sign[:, :, None, None]
    windows = case.output_shape[-2:]
    grad = drawn("grad_output", (case.batch, params.out_channels, *windows))[images[:, None], filters]
    grad *= (of_image[:, None] * (of_filter != 0))[:, :, None, None]
    return (
        with_noise("x", x, case.input_shape),
        with_noise("weight", weight, params.weight_shape),
        with_noise("grad_output", grad, case.output_shape),
    )


def _pairs(
    rng: np.random.Generator, groups: int, size: int, *, cancel: bool
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """For each of groups·size entries, that of its group whose contents it has, and its sign; 0 for one that is left.

    Where nothing is to cancel, each has its own contents and the sign +.
    """
    entries = np.arange(groups * size).reshape(groups, size)
    if not cancel:
        return entries.reshape(-1), np.ones(groups * size, np.int64)
    order = rng.permuted(entries, axis=1)
    contents, signs = np.empty(groups * size, np.intp), np.zeros(groups * size, np.int64)
    even = size // 2 * 2
    contents[order] = order
    contents[order[:, 1:even:2]] = order[:, 0:even:2]
    signs[order[:, 0:even:2]], signs[order[:, 1:even:2]] = 1, -1
    return contents, signs


def _nonzero(rng: np.random.Generator, shape: tuple[int, ...], magnitude: int) -> Array:
    drawn = rng.integers(1, magnitude, shape, endpoint=True).astype(np.float64)
    np.negative(drawn, out=drawn, where=rng.integers(0, 2, shape) == 0)
    return drawn
