"""Padding and its adjoint: every mode is a map from padded pixels to input pixels.

Source: `torch.nn.functional.pad`, modes constant, reflect, replicate and circular.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck_reference.params import Conv2dParams, PaddingMode, Pair


def source_index(size: int, pads: Pair, mode: PaddingMode) -> NDArray[np.intp]:
    """Which input pixel each padded pixel copies, along one axis; −1 where it is a zero.

    Args:
        size: pixels of the input along the axis.
        pads: pixels added (before, after).
        mode: the padding mode.

    Returns:
        Indices of shape (before + size + after,).
    """
    position = np.arange(-pads[0], size + pads[1])
    if mode == "circular":
        return position % size
    if mode == "replicate":
        return position.clip(0, size - 1)
    if mode == "reflect":
        mirrored = np.abs(position)
        return np.where(mirrored < size, mirrored, 2 * (size - 1) - mirrored)
    return np.where((position >= 0) & (position < size), position, -1)


def pad(x: NDArray[Any], params: Conv2dParams) -> NDArray[Any]:
    """`x` of shape (..., H, W) with the padding of `params` around its last two axes."""
    (top, bottom), (left, right) = params.padding
    if not (top or bottom or left or right):
        return x
    height, width = x.shape[-2:]
    if params.padding_mode == "zeros":
        padded = np.zeros((*x.shape[:-2], top + height + bottom, left + width + right), x.dtype)
        padded[..., top : top + height, left : left + width] = x
        return padded
    rows = source_index(height, (top, bottom), params.padding_mode)
    columns = source_index(width, (left, right), params.padding_mode)
    return x[..., rows[:, None], columns]


def pad_adjoint(padded: NDArray[Any], params: Conv2dParams) -> NDArray[Any]:
    """The adjoint of `pad`: each padded pixel is added to the input pixel that it copies."""
    (top, bottom), (left, right) = params.padding
    if not (top or bottom or left or right):
        return padded
    height, width = padded.shape[-2] - top - bottom, padded.shape[-1] - left - right
    if params.padding_mode == "zeros":
        return padded[..., top : top + height, left : left + width]
    rows = _folded(padded, top, bottom, params.padding_mode)
    return _folded(rows.swapaxes(-1, -2), left, right, params.padding_mode).swapaxes(-1, -2)


def _folded(padded: NDArray[Any], before: int, after: int, mode: PaddingMode) -> NDArray[Any]:
    """The adjoint of padding along the axis before the last."""
    size = padded.shape[-2] - before - after
    head, inner, tail = np.split(padded, (before, before + size), axis=-2)
    folded = inner.copy()
    if mode == "circular":
        folded[..., size - before :, :] += head
        folded[..., :after, :] += tail
    elif mode == "replicate":
        folded[..., :1, :] += head.sum(axis=-2, keepdims=True)
        folded[..., -1:, :] += tail.sum(axis=-2, keepdims=True)
    else:
        folded[..., 1 : before + 1, :] += head[..., ::-1, :]
        folded[..., size - 1 - after : size - 1, :] += tail[..., ::-1, :]
    return folded
