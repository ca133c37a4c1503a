"""Conv2d written out loop by loop, one multiply-add at a time: the second, independent formulation.

Nothing here is shared with `convolution`, not even the padding: a pixel outside the image is looked
up by `_source`. For small integer arrays only; it costs Python time for every multiply-add.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck_reference.params import Conv2dParams, PaddingMode

Array = NDArray[Any]
Term = tuple[tuple[int, int, int, int], tuple[int, int, int, int], tuple[int, int, int, int]]


def naive_conv2d(x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Array:
    """The output for a batched `x`; as `conv2d`, in the dtype of `x`."""
    out = np.zeros(params.output_shape(x.shape), x.dtype)
    for n, o, i, j in np.ndindex(out.shape):
        out[n, o, i, j] = 0 if bias is None else bias[o]
    for at_out, at_x, at_weight in terms(params, x.shape):
        out[at_out] += weight[at_weight] * x[at_x]
    return out


def naive_grad_input(
    grad_output: Array, weight: Array, params: Conv2dParams, input_shape: tuple[int, int, int, int]
) -> Array:
    """The gradient with respect to a batched input; as `conv2d_grad_input`."""
    grad = np.zeros(input_shape, grad_output.dtype)
    for at_out, at_x, at_weight in terms(params, input_shape):
        grad[at_x] += weight[at_weight] * grad_output[at_out]
    return grad


def naive_grad_weight(grad_output: Array, x: Array, params: Conv2dParams) -> Array:
    """The gradient with respect to the weight, for a batched input; as `conv2d_grad_weight`."""
    grad = np.zeros(params.weight_shape, grad_output.dtype)
    for at_out, at_x, at_weight in terms(params, x.shape):
        grad[at_weight] += x[at_x] * grad_output[at_out]
    return grad


def naive_grad_bias(grad_output: Array) -> Array:
    """The gradient with respect to the bias, for a batched input; as `conv2d_grad_bias`."""
    grad = np.zeros(grad_output.shape[1], grad_output.dtype)
    for n, o, i, j in np.ndindex(grad_output.shape):
        grad[o] += grad_output[n, o, i, j]
    return grad


def terms(params: Conv2dParams, input_shape: tuple[int, ...]) -> Iterator[Term]:
    """Every product of the layer, as indices into output, input and weight."""
    batch, _, height, width = input_shape
    oh, ow = params.output_size(height, width)
    per_group_out = params.out_channels // params.groups
    per_group_in = params.in_channels // params.groups
    for n, o, i, j in np.ndindex(batch, params.out_channels, oh, ow):
        group = o // per_group_out
        for c, a, b in np.ndindex(per_group_in, *params.kernel_size):
            row = _source(i, a, 0, height, params)
            column = _source(j, b, 1, width, params)
            if row is not None and column is not None:
                yield (n, o, i, j), (n, group * per_group_in + c, row, column), (o, c, a, b)


def _source(out: int, tap: int, axis: int, size: int, params: Conv2dParams) -> int | None:
    """The input pixel under `tap` for output pixel `out`; None for a zero of the padding."""
    at = out * params.stride[axis] + tap * params.dilation[axis] - params.padding[axis][0]
    mode: PaddingMode = params.padding_mode
    if 0 <= at < size:
        return at
    if mode == "zeros":
        return None
    if mode == "replicate":
        return 0 if at < 0 else size - 1
    if mode == "circular":
        return at + size if at < 0 else at - size
    return -at if at < 0 else 2 * (size - 1) - at
