"""Conv2d in one matrix product per group: the reference formulation.

The output, and every gradient, is a product of the weight, as a matrix, with the patches that the windows read
(`patches`). The sliding dot product is a cross-correlation: the kernel is not flipped.

Shapes: N images, C = in_channels, O = out_channels, G groups, K = fan_in = C/G·kh·kw taps per output,
P = oh·ow output pixels. Every function takes (N, C, H, W) as well as unbatched (C, H, W), and an
empty batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from convcheck_reference.params import Conv2dParams
from convcheck_reference.patches import Patches, grad_input

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
    out = Patches(x.astype(wide, copy=False), params).output(weight.astype(wide, copy=False)).reshape(shape)
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
    return _narrow(grad_input(weight.astype(wide, copy=False), grad_output, params, input_shape), dtype)


def conv2d_grad_weight(grad_output: Array, x: Array, params: Conv2dParams, dtype: DTypeLike | None = None) -> Array:
    """The gradient with respect to the weight: the correlation of the input with `grad_output`."""
    wide = _wide(grad_output, x)
    return _narrow(Patches(x.astype(wide, copy=False), params).grad_weight(grad_output), dtype)


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


def _wide(*arrays: Array) -> np.dtype[Any]:
    """The widest dtype of the arrays' kind, in which the sums are formed."""
    kinds = {a.dtype.kind for a in arrays}
    if "c" in kinds:
        return np.dtype(np.complex128)
    return np.dtype(np.int64 if kinds <= set("iub") else np.float64)


def _narrow(result: Array, dtype: DTypeLike | None) -> Array:
    return result if dtype is None else result.astype(dtype, copy=False)
