"""What the windows of a layer read, as the columns of a matrix (im2col), and sums over it.

`im2col` lays the input pixels under each tap out as columns (Chellapilla, Puri & Simard 2006); the output, and every
gradient, is then a matrix product with the weight as a matrix. Columns that no cache holds are made a band at a time:
writing all of them to memory and reading them again takes longer than the products.

Shapes as in `convcheck_reference.convolution`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck_reference.padding import pad, pad_adjoint
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]

_IN_CACHE: Final = 1 << 18
"""Elements of a band: 2 MiB in float64."""


class Patches:
    """The patches of an input, in its dtype, and the sums over them.

    Args:
        x: (N, C, H, W) or (C, H, W).
        params: the layer.
    """

    def __init__(self, x: Array, params: Conv2dParams) -> None:
        self._params = params
        self._padded = pad(x if x.ndim == 4 else x[None], params)
        self._size = params.output_size(*x.shape[-2:])
        self._bands = _bands(params, len(self._padded), self._size)

    def output(self, weight: Array) -> Array:
        """The weight applied to every patch: (N, G, O/G, P)."""
        matrix, (oh, ow) = _matrix(weight, self._params), self._size
        if len(self._bands) == 1:
            return matrix @ self.columns
        shape = (len(self._padded), *matrix.shape[:2], oh, ow)
        out = np.empty(shape, np.result_type(weight, self._padded))
        for band in self._bands:
            block = out[band.images, band.groups, :, band.rows]
            block[...] = (matrix[band.groups] @ self._columns(band)).reshape(block.shape)
        return out.reshape(*shape[:3], oh * ow)

    def grad_weight(self, grad_output: Array) -> Array:
        """`grad_output` times the conjugate of every patch, summed over images: shaped as the weight, in x's dtype."""
        grads, params = _grouped(grad_output, self._params, self._size), self._params
        if len(self._bands) == 1:
            return self._correlated(grads, self.columns).reshape(params.weight_shape)
        found = np.zeros((params.groups, grads.shape[2], params.fan_in), self._padded.dtype)
        for band in self._bands:
            found[band.groups] += self._correlated(grads[band.images, band.groups, :, band.rows], self._columns(band))
        return found.reshape(params.weight_shape)

    def _correlated(self, grads: Array, columns: Array) -> Array:
        grad = _flat(grads).astype(self._padded.dtype, copy=False)
        return np.asarray((grad @ _conjugate(columns).swapaxes(-1, -2)).sum(axis=0))

    @cached_property
    def columns(self) -> Array:
        """All of them as one matrix for each image and group, padded pixels included: (N, G, K, P)."""
        return self._columns(_all(self._params, len(self._padded), self._size))

    def _columns(self, band: _Band) -> Array:
        """The columns of a band: (N', G', K, P')."""
        padded, params = self._padded, self._params
        (kh, kw), (sh, sw), (dh, dw), ow = params.kernel_size, params.stride, params.dilation, self._size[1]
        channels = params.in_channels // params.groups
        part = padded[band.images, band.groups.start * channels : band.groups.stop * channels, band.rows.start * sh :]
        n, c, h, w = part.strides
        rows = band.rows.stop - band.rows.start
        windows = np.lib.stride_tricks.as_strided(
            part,
            (*part.shape[:2], kh, kw, rows, ow),
            (n, c, h * dh, w * dw, h * sh, w * sw),
            writeable=False,
        )
        return windows.reshape(len(part), band.groups.stop - band.groups.start, params.fan_in, rows * ow)


def im2col(x: Array, params: Conv2dParams) -> Array:
    """The input pixels under every tap: (N, G, K, P), padded pixels included."""
    return Patches(x, params).columns


def col2im(columns: Array, params: Conv2dParams, input_shape: Sequence[int]) -> Array:
    """The adjoint of `im2col`: every column entry is added to the pixel that it came from."""
    size = params.output_size(*input_shape[-2:])
    padded = _zeros(params, len(columns), input_shape, columns.dtype)
    _spread(columns, padded, params, _all(params, len(columns), size), size[1])
    return pad_adjoint(padded, params).reshape(tuple(input_shape))


def grad_input(weight: Array, grad_output: Array, params: Conv2dParams, input_shape: Sequence[int]) -> Array:
    """The conjugate transpose of the weight applied to `grad_output`, and every product added where it belongs.

    It is the adjoint of x ↦ weight ⋆ x, of shape `input_shape` and in the weight's dtype.
    """
    size = params.output_size(*input_shape[-2:])
    grads, matrix = _grouped(grad_output, params, size), _conjugate(_matrix(weight, params)).swapaxes(-1, -2)
    padded = _zeros(params, len(grads), input_shape, weight.dtype)
    for band in _bands(params, len(grads), size):
        grad = _flat(grads[band.images, band.groups, :, band.rows]).astype(weight.dtype, copy=False)
        _spread(matrix[band.groups] @ grad, padded, params, band, size[1])
    return pad_adjoint(padded, params).reshape(tuple(input_shape))


@dataclass(frozen=True, slots=True)
class _Band:
    """Some images, groups and rows of the output."""

    images: slice
    groups: slice
    rows: slice


def _bands(params: Conv2dParams, images: int, size: tuple[int, int]) -> list[_Band]:
    """All images, groups and rows in bands whose columns stay in a cache, unless the weight is larger than they."""
    oh, ow = size
    most, one_group = max(_IN_CACHE, prod(params.weight_shape)), params.fan_in * oh * ow
    if images * params.groups * one_group <= 2 * most:
        return [_all(params, images, size)]
    groups = min(params.groups, max(1, most // one_group))
    together = max(1, most // (params.groups * one_group))
    rows = min(oh, max(1, most // (params.fan_in * ow)))
    return [
        _Band(*band) for band in product(_slices(images, together), _slices(params.groups, groups), _slices(oh, rows))
    ]


def _slices(size: int, step: int) -> list[slice]:
    return [slice(first, min(first + step, size)) for first in range(0, size, step)]


def _all(params: Conv2dParams, images: int, size: tuple[int, int]) -> _Band:
    return _Band(slice(0, images), slice(0, params.groups), slice(0, size[0]))


def _spread(columns: Array, padded: Array, params: Conv2dParams, band: _Band, ow: int) -> None:
    """Add the columns of a band to the pixels that they came from."""
    (kh, kw), (sh, sw), (dh, dw) = params.kernel_size, params.stride, params.dilation
    channels, first, rows = params.in_channels // params.groups, band.rows.start * sh, band.rows.stop - band.rows.start
    target = padded[band.images, band.groups.start * channels : band.groups.stop * channels]
    taps = columns.reshape(*target.shape[:2], kh, kw, rows, ow)
    for i in range(kh):
        for j in range(kw):
            top, left = first + i * dh, j * dw
            target[..., top : top + sh * (rows - 1) + 1 : sh, left : left + sw * (ow - 1) + 1 : sw] += taps[:, :, i, j]


def _zeros(params: Conv2dParams, images: int, input_shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
    height, width = (i + sum(p) for i, p in zip(input_shape[-2:], params.padding, strict=True))
    return np.zeros((images, params.in_channels, height, width), dtype)


def _matrix(weight: Array, params: Conv2dParams) -> Array:
    return weight.reshape(params.groups, params.out_channels // params.groups, params.fan_in)


def _grouped(grad_output: Array, params: Conv2dParams, size: tuple[int, int]) -> Array:
    images = grad_output.shape[0] if grad_output.ndim == 4 else 1
    return grad_output.reshape(images, params.groups, params.out_channels // params.groups, *size)


def _flat(array: Array) -> Array:
    return array.reshape(*array.shape[:-2], array.shape[-2] * array.shape[-1])


def _conjugate(array: Array) -> Array:
    return array.conj() if array.dtype.kind == "c" else array  # NumPy copies real numbers for it
