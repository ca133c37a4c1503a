"""Conv2d in one matrix product per group: the reference formulation.

`im2col` lays the input pixels under each tap out as columns (Chellapilla, Puri & Simard 2006); the
output, and every gradient, is then a matrix product with the weight as a matrix. The sliding dot
product is a cross-correlation: the kernel is not flipped.

Shapes: N images, C = in_channels, O = out_channels, G groups, K = fan_in = C/G·kh·kw taps per output,
P = oh·ow output pixels. Every function takes (N, C, H, W) as well as unbatched (C, H, W), and an
empty batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from convcheck_reference.padding import pad, pad_adjoint
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]


def conv2d(x: Array, weight: Array, bias: Array | None, params: Conv2dParams, dtype: DTypeLike | None = None) -> Array:
    """out[n, o] = bias[o] + Σ_c weight[o, c] ⋆ x[n, c] (documentation of `torch.nn.Conv2d`).

    Args:
        x: (N, C, H, W) or (C, H, W).
        weight: (O, C/G, kh, kw).
        bias: (O,) or None.
        params: the layer.
        dtype: of the result. The sums are formed in float64, int64 or complex128 and rounded once.
            By default they are returned as formed.

    Returns:
        (N, O, oh, ow) or (O, oh, ow).

    Raises:
        InputError: the layer cannot take this input.
    """
    shape = params.output_shape(x.shape)
    wide = _wide(x, weight)
    columns = im2col(x.astype(wide, copy=False), params)
    out = apply(weight.astype(wide, copy=False), columns, params).reshape(shape)
    if bias is not None:
        out += bias.astype(wide, copy=False)[:, None, None]
    return _narrow(out, dtype)


def conv2d_grad_input(
    grad_output: Array,
    weight: Array,
    params: Conv2dParams,
    input_shape: Sequence[int],
    dtype: DTypeLike | None = None,
) -> Array:
    """The gradient with respect to the input, of shape `input_shape`: the adjoint of x ↦ weight ⋆ x.

    Input pixels that no window reaches (a stride remainder) get zero. Complex weights are conjugated,
    as the adjoint needs.
    """
    wide = _wide(grad_output, weight)
    columns = apply_transposed(weight.astype(wide, copy=False), grad_output.astype(wide, copy=False), params)
    return _narrow(col2im(columns, params, input_shape), dtype)


def conv2d_grad_weight(grad_output: Array, x: Array, params: Conv2dParams, dtype: DTypeLike | None = None) -> Array:
    """The gradient with respect to the weight: the correlation of the input with `grad_output`."""
    wide = _wide(grad_output, x)
    columns = im2col(x.astype(wide, copy=False), params)
    return _narrow(correlate(grad_output.astype(wide, copy=False), columns, params), dtype)


def conv2d_grad_bias(grad_output: Array, dtype: DTypeLike | None = None) -> Array:
    """The gradient with respect to the bias, (O,): `grad_output` summed over images and pixels."""
    wide = grad_output.astype(_wide(grad_output), copy=False)
    axes = (0, 2, 3) if wide.ndim == 4 else (1, 2)
    return _narrow(wide.sum(axis=axes), dtype)


def conv2d_double_backward(
    grad_grad_input: Array,
    grad_grad_weight: Array,
    grad_grad_bias: Array | None,
    grad_output: Array,
    x: Array,
    weight: Array,
    params: Conv2dParams,
    dtype: DTypeLike | None = None,
) -> tuple[Array, Array, Array]:
    """The gradients of ⟨ggx, gx⟩ + ⟨ggw, gw⟩ + ⟨ggb, gb⟩ for a layer with real values.

    Args:
        grad_grad_input: ggx, shaped as `x`.
        grad_grad_weight: ggw, shaped as `weight`.
        grad_grad_bias: ggb, (O,) or None.
        grad_output: shaped as the output.
        x: the input.
        weight: the weight.
        params: the layer.
        dtype: as for `conv2d`.

    Returns:
        The gradients with respect to `grad_output` (conv(ggx, w) + conv(x, ggw) + ggb), `x` and `weight`.
    """
    wrt_grad_output = conv2d(grad_grad_input, weight, grad_grad_bias, params)
    wrt_grad_output = wrt_grad_output + conv2d(x, grad_grad_weight, None, params)
    wrt_x = conv2d_grad_input(grad_output, grad_grad_weight, params, x.shape, dtype)
    wrt_weight = conv2d_grad_weight(grad_output, grad_grad_input, params, dtype)
    return _narrow(wrt_grad_output, dtype), wrt_x, wrt_weight


def im2col(x: Array, params: Conv2dParams) -> Array:
    """The input pixels under every tap: (N, G, K, P), padded pixels included."""
    oh, ow = params.output_size(*x.shape[-2:])
    padded = pad(x if x.ndim == 4 else x[None], params)
    (kh, kw), (sh, sw), (dh, dw) = params.kernel_size, params.stride, params.dilation
    n, c, h, w = padded.strides
    windows = np.lib.stride_tricks.as_strided(
        padded,
        (*padded.shape[:2], kh, kw, oh, ow),
        (n, c, h * dh, w * dw, h * sh, w * sw),
        writeable=False,
    )
    return windows.reshape(padded.shape[0], params.groups, params.fan_in, oh * ow)


def col2im(columns: Array, params: Conv2dParams, input_shape: Sequence[int]) -> Array:
    """The adjoint of `im2col`: every column entry is added to the pixel that it came from."""
    padded = col2im_padded(columns, params, input_shape)
    return pad_adjoint(padded, params).reshape(tuple(input_shape))


def col2im_padded(columns: Array, params: Conv2dParams, input_shape: Sequence[int]) -> Array:
    """`col2im` before the adjoint of the padding: (N, C, H + top + bottom, W + left + right)."""
    oh, ow = params.output_size(*input_shape[-2:])
    (kh, kw), (sh, sw), (dh, dw) = params.kernel_size, params.stride, params.dilation
    height, width = (i + sum(p) for i, p in zip(input_shape[-2:], params.padding, strict=True))
    taps = columns.reshape(columns.shape[0], params.in_channels, kh, kw, oh, ow)
    padded = np.zeros((columns.shape[0], params.in_channels, height, width), columns.dtype)
    for i in range(kh):
        for j in range(kw):
            rows = slice(i * dh, i * dh + sh * (oh - 1) + 1, sh)
            padded[..., rows, j * dw : j * dw + sw * (ow - 1) + 1 : sw] += taps[:, :, i, j]
    return padded


def apply(weight: Array, columns: Array, params: Conv2dParams) -> Array:
    """The weight applied to `im2col` columns: (N, G, O/G, P), one matrix product per image and group."""
    return _matrix(weight, params) @ columns


def apply_transposed(weight: Array, grad_output: Array, params: Conv2dParams) -> Array:
    """The conjugate transpose of `apply`: (N, G, K, P)."""
    return _conjugate(_matrix(weight, params)).swapaxes(-1, -2) @ _grouped(grad_output, params)


def correlate(grad_output: Array, columns: Array, params: Conv2dParams) -> Array:
    """`grad_output` times the conjugate of `im2col` columns, summed over images: shaped as the weight."""
    product = _grouped(grad_output, params) @ _conjugate(columns).swapaxes(-1, -2)
    return np.asarray(product.sum(axis=0)).reshape(params.weight_shape)


def _matrix(weight: Array, params: Conv2dParams) -> Array:
    return weight.reshape(params.groups, params.out_channels // params.groups, params.fan_in)


def _grouped(grad_output: Array, params: Conv2dParams) -> Array:
    images = grad_output.shape[0] if grad_output.ndim == 4 else 1
    pixels = grad_output.shape[-2] * grad_output.shape[-1]
    return grad_output.reshape(images, params.groups, params.out_channels // params.groups, pixels)


def _conjugate(array: Array) -> Array:
    return array.conj() if array.dtype.kind == "c" else array  # NumPy copies real numbers for it


def _wide(*arrays: Array) -> np.dtype[Any]:
    """The widest dtype of the arrays' kind, in which the sums are formed."""
    kinds = {a.dtype.kind for a in arrays}
    if "c" in kinds:
        return np.dtype(np.complex128)
    return np.dtype(np.int64 if kinds <= set("iub") else np.float64)


def _narrow(result: Array, dtype: DTypeLike | None) -> Array:
    return result if dtype is None else result.astype(dtype, copy=False)
