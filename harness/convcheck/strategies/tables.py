"""What there is to build from: axes by padding and classes, channels by classes.

The tables are enumerated, not ruled: a combination of classes is feasible if an axis or a choice of
channels in them has it. Values are those where blocks and vectors begin, end or leave a remainder.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convcheck.strategies.layers import Axis, Channels
from convcheck.strategies.parameter_model import Classes, Space, axis_classes, channel_classes

Padding: TypeAlias = tuple[str, str]
"""How padding is spelled ('', 'same' or 'valid'), and its mode."""

Axes: TypeAlias = Mapping[Classes, NDArray[np.intp]]
"""By classes, the fields of the axes that are in them, a row each."""

_KERNELS: Final = (1, 2, 3, 4, 5, 7)
_STRIDES: Final = (1, 2, 3, 4, 5, 8)
_DILATIONS: Final = (1, 2, 3, 5)
_PADDINGS: Final = (*range(10), 12, 16, 25)
_OUTPUTS: Final = (1, 2, 3, 5, 7, 8, 9, 13)
_GROUPS: Final = (1, 2, 3, 4, 5, 6, 8, 12, 16, 17, 24, 32)
_PER_GROUP: Final = (1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17, 24, 31, 32, 33)
_MOST_CHANNELS: Final = 64


@lru_cache(maxsize=8)
def axes(space: Space) -> Mapping[Padding, Axes]:
    """The axes of every padding, by their classes in the order of `parameter_model.AXIS`, the cheapest first."""
    spellings = ("", "same", "valid") if space.strings else ("",)
    return MappingProxyType(
        {(spelled, mode): _axes(spelled, mode, space.dilation) for spelled in spellings for mode in space.modes}
    )


@lru_cache(maxsize=8)
def channels(space: Space) -> Mapping[Classes, tuple[Channels, ...]]:
    """Groups and channels by their classes, the fewest products first."""
    found: dict[Classes, list[Channels]] = {}
    for groups in _GROUPS if space.groups else (1,):
        for into in _PER_GROUP:
            for out in _PER_GROUP:
                if groups * max(into, out) <= _MOST_CHANNELS:
                    each = Channels(groups, groups * into, groups * out)
                    key = channel_classes(groups, each.inputs, each.outputs)
                    found.setdefault(tuple(map(int, key)), []).append(each)
    ordered = {key: sorted(some, key=_products) for key, some in found.items()}
    return MappingProxyType({key: tuple(some) for key, some in ordered.items()})


def _products(each: Channels) -> int:
    return each.inputs // each.groups * each.outputs


def axis(axes: NDArray[np.intp], at: int) -> Axis:
    """The axis in one row of a table."""
    return Axis(*map(int, axes[at]))


@lru_cache(maxsize=32)
def _axes(spelled: str, mode: str, dilated: bool) -> Axes:
    kernel, stride, dilation, padding, output, rest = _grid(spelled, dilated)
    extent = dilation * (kernel - 1) + 1
    before, after = padding, padding
    if spelled == "same":
        before, after = (extent - 1) // 2, extent // 2
    size = (output - 1) * stride + extent + rest - before - after
    least = {"reflect": after + 1, "circular": after}.get(mode, 1)
    legal = np.flatnonzero((size >= 1) & (size >= least) & (rest < stride))
    keys = np.stack(axis_classes(size, kernel, stride, dilation, before, after), axis=1)
    fields = np.stack((size, kernel, stride, after, dilation), axis=1)
    ordered = legal[np.lexsort(((kernel * output)[legal], *keys[legal].T[::-1]))]
    first = np.flatnonzero(np.diff(keys[ordered], axis=0).any(1)) + 1
    parts = np.split(ordered, first)
    return MappingProxyType({tuple(map(int, keys[part[0]])): fields[part] for part in parts})


def _grid(spelled: str, dilated: bool) -> tuple[NDArray[Any], ...]:
    """Every combination of kernel, stride, dilation, padding, output and left over, an array each."""
    values = (
        _KERNELS,
        (1,) if spelled == "same" else _STRIDES,
        _DILATIONS if dilated else (1,),
        _PADDINGS if spelled == "" else (0,),
        _OUTPUTS,
        (0,) if spelled == "same" else (0, 1, 2, 7),
    )
    return tuple(grid.reshape(-1) for grid in np.meshgrid(*values, indexing="ij"))
