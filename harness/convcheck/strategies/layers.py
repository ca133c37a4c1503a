"""Strategies for legal layers and input sizes, built so that every drawn layer fits its input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from hypothesis import strategies as st

from convcheck.capabilities import Capabilities
from convcheck.strategies.realistic import LAYERS
from convcheck_reference.params import Arguments, Pair, Shape

Value = TypeVar("Value")
Draw = Any

SMALL_BUDGET: Final = 100_000
MEDIUM_BUDGET: Final = 3_000_000
"""Multiply-adds of one forward pass: most cases stay small, so that many are judged each second."""

_KERNEL = (1, 3, 2, 1, 3, 5, 4, 7, 3, 2)
_STRIDE = (1, 1, 2, 1, 3, 2, 1, 4, 5)
_DILATION = (1, 1, 1, 2, 1, 3, 2, 5)
_GROUPS = (1, 1, 1, 2, 1, 3, 4, 2, 8, 6, 16, 32)
_PER_GROUP = (1, 1, 2, 3, 1, 4, 5, 2, 7, 8, 9, 15, 16, 17, 13, 31, 32, 33, 64)
_BATCH = (1, 2, 3, 1, 4, 5, 2, 0)
_SPARE = (0, 1, 2, 0, 3, 5, 8, 4, 7, 12, 20, 33)


def layers(draw: Draw, capabilities: Capabilities) -> tuple[Arguments, Shape]:
    """Draw one legal layer and the shape of its input."""
    kind = draw(st.integers(0, 19))
    if kind == 19 and capabilities.groups and capabilities.dilation:
        return _realistic(draw)
    if kind in (15, 16, 17):
        return _layer(draw, capabilities, MEDIUM_BUDGET, medium=True)
    return _layer(draw, capabilities, SMALL_BUDGET, medium=False)


def pick(draw: Draw, values: Sequence[Value]) -> Value:
    """One of `values`, the first being the simplest; repeated values are drawn more often."""
    at: int = draw(st.integers(0, len(values) - 1))
    return values[at]


def _layer(draw: Draw, capabilities: Capabilities, budget: int, *, medium: bool) -> tuple[Arguments, Shape]:
    kernel = (pick(draw, _KERNEL), pick(draw, _KERNEL))
    stride = (pick(draw, _STRIDE), pick(draw, _STRIDE))
    dilation = (pick(draw, _DILATION), pick(draw, _DILATION)) if capabilities.dilation else (1, 1)
    if draw(st.integers(0, 3)) == 3:  # square layers are the common ones
        kernel, stride, dilation = ((v[0], v[0]) for v in (kernel, stride, dilation))
    mode = pick(draw, _modes(capabilities))
    padding = _padding(draw, kernel, dilation, capabilities)
    if padding == "same":
        stride = (1, 1)
    pads = _pads(padding, kernel, dilation)
    size = (
        _size(draw, kernel[0], stride[0], dilation[0], pads[0], mode, medium=medium),
        _size(draw, kernel[1], stride[1], dilation[1], pads[1], mode, medium=medium),
    )
    windows = math.prod(
        (i + sum(p) - d * (k - 1) - 1) // s + 1
        for i, p, d, k, s in zip(size, pads, dilation, kernel, stride, strict=True)
    )
    groups, batch = (
        pick(draw, _GROUPS) if capabilities.groups else 1,
        _batch(draw, capabilities, medium=medium),
    )
    per_group = (pick(draw, _PER_GROUP), pick(draw, _PER_GROUP))
    groups, per_group, batch = _within(budget // (math.prod(kernel) * windows), groups, per_group, batch)
    spelling = draw(st.integers(0, 15))
    arguments = Arguments(
        groups * per_group[0],
        groups * per_group[1],
        _spell(kernel, spelling & 1),
        _spell(stride, spelling & 2),
        padding if isinstance(padding, str) else _spell(padding, spelling & 4),
        _spell(dilation, spelling & 8),
        groups,
        draw(st.integers(0, 3)) != 3,
        mode,
    )
    shape = (groups * per_group[0], *size)
    unbatched = capabilities.unbatched and draw(st.integers(0, 15)) == 15
    return arguments, shape if unbatched else (batch, *shape)


def _modes(capabilities: Capabilities) -> tuple[str, ...]:
    others = tuple(m for m in capabilities.padding_modes if m != "zeros")
    return ("zeros",) * 5 + others if "zeros" in capabilities.padding_modes else others


def _padding(draw: Draw, kernel: Pair, dilation: Pair, capabilities: Capabilities) -> Pair | str:
    kind = draw(st.integers(0, 9))
    if kind < 3:
        return (0, 0)
    if kind >= 8 and capabilities.string_padding:
        return "same" if kind == 9 else pick(draw, ("valid", "same"))
    extents = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    # half the extent keeps the size; the extent and one more are padding ≥ kernel
    return pick(draw, _amounts(extents[0])), pick(draw, _amounts(extents[1]))


def _amounts(extent: int) -> tuple[int, ...]:
    return (0, 1, extent // 2, extent - 1, 2, extent, extent + 1)


def _pads(padding: Pair | str, kernel: Pair, dilation: Pair) -> tuple[Pair, Pair]:
    if padding == "same":
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return (totals[0] // 2, totals[0] - totals[0] // 2), (totals[1] // 2, totals[1] - totals[1] // 2)
    if isinstance(padding, str):
        return (0, 0), (0, 0)
    return (padding[0], padding[0]), (padding[1], padding[1])


def _size(draw: Draw, kernel: int, stride: int, dilation: int, pads: Pair, mode: str, *, medium: bool) -> int:
    """An input size: the smallest legal one, plus windows, plus a remainder that the stride leaves over."""
    least = max(1, dilation * (kernel - 1) + 1 - sum(pads))
    least = max(least, {"reflect": max(pads) + 1, "circular": max(pads)}.get(mode, 1))
    if medium:
        medium_size: int = draw(st.integers(16, 64))
        return max(least, medium_size)
    spare = pick(draw, _SPARE)
    return int(least + spare + draw(st.integers(0, stride - 1)))


def _batch(draw: Draw, capabilities: Capabilities, *, medium: bool) -> int:
    batch: int = draw(st.integers(8, 32)) if medium else pick(draw, _BATCH)
    return batch if capabilities.empty_batch else max(1, batch)


def _within(budget: int, groups: int, per_group: Pair, batch: int) -> tuple[int, Pair, int]:
    """Channels, groups and batch halved, largest first, until batch·groups·in·out fits the budget."""
    into, out = per_group
    while max(batch, 1) * groups * into * out > max(1, budget):
        largest = max(into, out, groups, batch)
        if largest == 1:
            break
        if into == largest:
            into = (into + 1) // 2
        elif out == largest:
            out = (out + 1) // 2
        elif groups == largest:
            groups = (groups + 1) // 2
        else:
            batch = (batch + 1) // 2
    return groups, (into, out), batch


def _spell(pair: Pair, as_int: int) -> int | Pair:
    return pair[0] if as_int and pair[0] == pair[1] else pair


def _realistic(draw: Draw) -> tuple[Arguments, Shape]:
    """A published layer with channels and image scaled down to the budget, its structure kept."""
    layer = pick(draw, LAYERS)
    spelled = layer.arguments
    kernel, rate = spelled.kernel_size, spelled.dilation
    size = min(layer.size, draw(st.integers(14, 30)))
    groups = min(spelled.groups, 24)
    into = min(spelled.in_channels // spelled.groups, 24)
    out = min(spelled.out_channels // spelled.groups, 32)
    groups, (into, out), batch = _within(MEDIUM_BUDGET // (kernel**2 * size**2), groups, (into, out), 2)
    size = max(size, rate * (kernel - 1) + 1 - 2 * spelled.padding)
    arguments = Arguments(
        groups * into, groups * out, kernel, spelled.stride, spelled.padding, rate, groups, spelled.bias
    )
    return arguments, (max(1, batch), groups * into, size, size)
