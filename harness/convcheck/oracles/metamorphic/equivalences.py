"""Equivalences: the same output from a layer with other parameters, or from matrix products and sums."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.oracles.metamorphic.relation import Layer, Relation

Array = NDArray[Any]
Images = tuple[Layer, ...] | None

_MOST_GROUPS: Final = 8
"""Calls that a relation may make where it needs one for each group."""


def _one_layer_a_group(layer: Layer) -> Images:
    groups, spelled = layer.params.groups, layer.arguments
    if not 1 < groups <= _MOST_GROUPS:
        return None
    into, out = layer.params.in_channels // groups, layer.params.out_channels // groups
    arguments = replace(spelled, in_channels=into, out_channels=out, groups=1)
    return tuple(
        Layer(
            arguments,
            layer.x[..., group * into : (group + 1) * into, :, :],
            layer.weight[group * out : (group + 1) * out],
            None if layer.bias is None else layer.bias[group * out : (group + 1) * out],
        )
        for group in range(groups)
    )


def _longer_kernel(layer: Layer) -> Images:
    """A row and a column of zeros more in the kernel, and as many pixels more in the padded input under them."""
    (dh, dw), (kh, kw), x = layer.params.dilation, layer.params.kernel_size, layer.padded
    # any pixels do under a tap of zero; these keep the magnitudes
    rows, columns = (np.arange(size + d) % size for size, d in zip(x.shape[-2:], (dh, dw), strict=True))
    arguments = replace(layer.arguments, kernel_size=(kh + 1, kw + 1), padding=0)
    weight = np.pad(layer.weight, ((0, 0), (0, 0), (0, 1), (0, 1)))
    return (replace(layer, arguments=arguments, x=x[..., rows[:, None], columns], weight=weight),)


def _every_window(layer: Layer) -> Images:
    if layer.params.stride == (1, 1):
        return None
    return (replace(layer, arguments=replace(layer.arguments, stride=1)),)


def _stride(layer: Layer, outputs: tuple[Array, ...]) -> Array:
    sh, sw = layer.params.stride
    return outputs[0][..., ::sh, ::sw]


def _stuffed_kernel(layer: Layer) -> Images:
    params = layer.params
    if params.dilation == (1, 1):
        return None
    (dh, dw), weight = params.dilation, layer.weight
    stuffed = np.zeros((*weight.shape[:2], *params.extent), weight.dtype)
    stuffed[..., ::dh, ::dw] = weight
    arguments = replace(layer.arguments, kernel_size=params.extent, dilation=1)
    return (replace(layer, arguments=arguments, weight=stuffed),)


def _padded_before(layer: Layer) -> Images:
    if not any(map(any, layer.params.padding)):
        return None
    return (replace(layer, arguments=replace(layer.arguments, padding=0), x=layer.padded),)


def _pointwise(layer: Layer) -> Images:
    return () if layer.params.kernel_size == (1, 1) else None


def _product(layer: Layer, _: tuple[Array, ...]) -> Array:
    """One matrix product a group, in the widest dtype."""
    params = layer.params
    wide = np.complex128 if layer.x.dtype.kind == "c" else np.float64
    (sh, sw), x = params.stride, layer.padded.astype(wide)
    pixels = x[..., ::sh, ::sw]
    blocks = np.split(pixels.reshape(*pixels.shape[:-2], -1), params.groups, axis=-2)
    filters = np.split(layer.weight[:, :, 0, 0].astype(wide), params.groups)
    out = np.concatenate([w @ block for w, block in zip(filters, blocks, strict=True)], axis=-2)
    out = out.reshape(*out.shape[:-1], *pixels.shape[-2:])
    return out if layer.bias is None else out + layer.bias.astype(wide)[:, None, None]


def _without_bias(layer: Layer) -> Images:
    if layer.bias is None:
        return None
    return (replace(layer, arguments=replace(layer.arguments, bias=False), bias=None),)


def _with_bias_added(layer: Layer, outputs: tuple[Array, ...]) -> Array:
    assert layer.bias is not None
    wide = _wide(outputs[0])
    return np.asarray(wide + layer.bias.astype(wide.dtype)[:, None, None])


def _two_weights(layer: Layer) -> Images:
    """Every other tap in one weight, the rest in the other, the same in every filter."""
    if layer.params.fan_in == 1:
        return None
    first = np.arange(layer.params.fan_in).reshape(1, *layer.weight.shape[1:]) % 2 == 0
    zero = np.zeros((), layer.weight.dtype)
    arguments = replace(layer.arguments, bias=False)
    return (
        replace(layer, weight=np.where(first, layer.weight, zero)),
        replace(layer, arguments=arguments, weight=np.where(first, zero, layer.weight), bias=None),
    )


def _wide(array: Array) -> Array:
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


EQUIVALENCES: Final = (
    Relation(
        "groups",
        "one layer for each group, one after the other = f with groups",
        ("C2D-GROUPS-2", "C2D-GROUPS-1"),
        _one_layer_a_group,
        lambda _, outputs: np.concatenate(outputs, axis=-3),
    ),
    Relation(
        "longer-kernel",
        "f(x with pixels more at the end, w with zeros more at the end) = f(x, w)",
        ("C2D-KERNEL-3", "C2D-KERNEL-1"),
        _longer_kernel,
        lambda _, outputs: outputs[0],
    ),
    Relation(
        "stride",
        "every s-th pixel of f with stride 1 = f with stride s",
        ("C2D-STRIDE-3", "C2D-STRIDE-2", "C2D-STRIDE-1"),
        _every_window,
        _stride,
    ),
    Relation(
        "dilation",
        "f with zeros between the taps of w = f with dilation",
        ("C2D-DIL-2", "C2D-DIL-1"),
        _stuffed_kernel,
        lambda _, outputs: outputs[0],
    ),
    Relation(
        "padding",
        "f(x padded before, no padding) = f with padding",
        ("C2D-MODE-2", "C2D-MODE-3", "C2D-MODE-4", "C2D-PAD-3", "C2D-PAD-5", "C2D-PAD-2", "C2D-PAD-1", "C2D-MODE-1"),
        _padded_before,
        lambda _, outputs: outputs[0],
    ),
    Relation("matmul", "w·x, a matrix product = f with a 1×1 kernel", ("C2D-KERNEL-2",), _pointwise, _product),
    Relation("bias", "f without bias, plus the bias = f", ("C2D-BIAS-1",), _without_bias, _with_bias_added, adds=True),
    Relation(
        "weights",
        "f(x, w₁) + f(x, w₂) without bias = f(x, w₁ + w₂)",
        ("C2D-ARITH-1",),
        _two_weights,
        lambda _, outputs: np.asarray(_wide(outputs[0]) + _wide(outputs[1])),
        adds=True,
    ),
)
