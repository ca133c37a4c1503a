"""Symmetries: the same layer mirrored, transposed, moved, renumbered or cut up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.oracles.metamorphic.relation import Layer, Relation
from convcheck.oracles.support.exercised import leftovers

Array = NDArray[Any]
Images = tuple[Layer, ...] | None

_MOST_IMAGES: Final = 4
"""Calls that a relation may make where it needs one for each image of a batch."""


def _flipped(layer: Layer) -> Images:
    axes = _flippable(layer)
    if not axes:
        return None
    arguments, x = layer.arguments, layer.x
    if any(before != after for before, after in layer.params.padding):
        # 'same' pads an odd total on one side more, and the mirrored layer would need it on the other
        arguments, x = replace(arguments, padding=0), layer.padded
    return (replace(layer, arguments=arguments, x=np.flip(x, axes), weight=np.flip(layer.weight, axes)),)


def _flippable(layer: Layer) -> tuple[int, ...]:
    """The axes along which the windows end where the padded input ends, so that mirrored windows coincide."""
    rest = leftovers(layer.params, *layer.x.shape[-2:])
    return tuple(axis for axis, left_over in zip((-2, -1), rest, strict=True) if not left_over)


def _transposed(layer: Layer) -> Images:
    params, spelled = layer.params, layer.arguments
    padding = spelled.padding if isinstance(spelled.padding, str) else (params.padding[1][0], params.padding[0][0])
    arguments = replace(
        spelled,
        kernel_size=params.kernel_size[::-1],
        stride=params.stride[::-1],
        padding=padding,
        dilation=params.dilation[::-1],
    )
    return (replace(layer, arguments=arguments, x=_swapped(layer.x), weight=_swapped(layer.weight)),)


def _swapped(array: Array) -> Array:
    return array.swapaxes(-1, -2)


def _moved(layer: Layer) -> Images:
    """One window more in front, over pixels from the far end."""
    sh, sw = layer.params.stride
    x = layer.padded
    rows = np.arange(-sh, x.shape[-2]) % x.shape[-2]
    columns = np.arange(-sw, x.shape[-1]) % x.shape[-1]
    return (replace(layer, arguments=replace(layer.arguments, padding=0), x=x[..., rows[:, None], columns]),)


def _renumbered(layer: Layer) -> Images:
    params = layer.params
    if params.in_channels == params.out_channels == 1:
        return None
    into, out = _renumbering(layer)
    # input channels are renumbered alike in every group, so that the weight's are
    within = into[: layer.weight.shape[1]] % layer.weight.shape[1]
    bias = None if layer.bias is None else layer.bias[out]
    return (replace(layer, x=np.take(layer.x, into, axis=-3), weight=layer.weight[out][:, within], bias=bias),)


def _renumbering(layer: Layer) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Input and output channels in a new order: the groups rotate by one, and the channels within each."""
    params = layer.params
    return _rotated(params.in_channels, params.groups), _rotated(params.out_channels, params.groups)


def _rotated(channels: int, groups: int) -> NDArray[np.intp]:
    return np.roll(np.arange(channels).reshape(groups, -1), (1, 1), axis=(0, 1)).reshape(-1)


def _as_numbered(layer: Layer, outputs: tuple[Array, ...]) -> Array:
    _, out = _renumbering(layer)
    return np.take(outputs[0], np.argsort(out), axis=-3)


def _split_batch(layer: Layer) -> Images:
    if layer.x.ndim == 3 or len(layer.x) < 2:
        return None
    return replace(layer, x=layer.x[:1]), replace(layer, x=layer.x[1:])


def _without_batch(layer: Layer) -> Images:
    if layer.x.ndim == 3:
        return (replace(layer, x=layer.x[None]),)
    if not 1 <= len(layer.x) <= _MOST_IMAGES:
        return None
    return tuple(replace(layer, x=image) for image in layer.x)


SYMMETRIES: Final = (
    Relation(
        "flip",
        "f(flip x, flip w) = flip f(x, w), along axes without left-over pixels",
        ("C2D-PAD-3",),
        _flipped,
        lambda layer, outputs: np.flip(outputs[0], _flippable(layer)),
    ),
    Relation(
        "transpose",
        "f with height and width exchanged = f transposed",
        ("C2D-KERNEL-1", "C2D-STRIDE-2", "C2D-PAD-2", "C2D-DIL-2"),
        _transposed,
        lambda _, outputs: _swapped(outputs[0]),
    ),
    Relation(
        "translation",
        "f(x moved on by one stride) = f moved on by one pixel",
        ("C2D-STRIDE-2", "C2D-STRIDE-1"),
        _moved,
        lambda _, outputs: outputs[0][..., 1:, 1:],
    ),
    Relation(
        "channels",
        "f with channels renumbered = f renumbered",
        ("C2D-GROUPS-2", "C2D-GROUPS-1"),
        _renumbered,
        _as_numbered,
    ),
    Relation(
        "batch",
        "f(x[:1]) and f(x[1:]), one after the other = f(x)",
        ("C2D-BATCH-1",),
        _split_batch,
        lambda _, outputs: np.concatenate(outputs),
    ),
    Relation(
        "unbatched",
        "f of each image without a batch = f of the batch",
        ("C2D-SHAPE-2", "C2D-BATCH-1"),
        _without_batch,
        lambda layer, outputs: outputs[0][0] if layer.x.ndim == 3 else np.stack(outputs),
    ),
)
