"""Legal layers with an input that fits: built from one axis at a time, never filtered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from convcheck.model.capabilities import Capabilities
from convcheck.strategies.draws import Draw, pick
from convcheck_reference.params import Arguments, Shape

SMALL_BUDGET: Final = 100_000
COMMON_BUDGET: Final = 500_000
MEDIUM_BUDGET: Final = 3_000_000
"""Costs of one forward pass: most cases stay small, so that many are judged each second."""

Layer: TypeAlias = tuple[Arguments, Shape]

_KERNEL = (1, 3, 2, 1, 3, 5, 4, 7, 3, 2, 6)
_STRIDE = (1, 1, 2, 1, 3, 2, 1, 4, 5)
_DILATION = (1, 1, 1, 2, 1, 3, 2, 5)
_GROUPS = (1, 1, 1, 2, 1, 3, 4, 2, 8, 6, 16, 32)
_PER_GROUP = (1, 1, 2, 3, 1, 4, 5, 2, 7, 8, 9, 15, 16, 17, 13, 31, 32, 33, 64)
_DEPTH = (65, 96, 127, 128, 129, 192, 255, 256, 257, 320, 384, 511, 512)
_SIXTEEN_BITS = 1 << 16
_BATCH = (1, 2, 3, 1, 4, 5, 2, 0)
_SPARE = (0, 1, 2, 0, 3, 5, 8, 4, 7, 12, 20, 33)


@dataclass(frozen=True, slots=True)
class Axis:
    """What happens along one axis of the image.

    Attributes:
        size: of the input, in pixels.
        kernel: taps.
        stride: of the windows.
        padding: pixels added on each side; for 'same' the wider side.
        dilation: spacing of the taps.
    """

    size: int
    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def extent(self) -> int:
        """Pixels that the dilated kernel spans."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def output(self) -> int:
        """Windows along the axis, with padding in numbers."""
        return (self.size + 2 * self.padding - self.extent) // self.stride + 1


@dataclass(frozen=True, slots=True)
class Channels:
    """Groups, and the channels that go in and come out in all."""

    groups: int
    inputs: int
    outputs: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A layer and its input before its arguments are spelled.

    Attributes:
        height: the vertical axis.
        width: the horizontal axis.
        channels: groups and channels.
        batch: number of images; None for an unbatched input.
        padding: 'same' or 'valid', or '' for the numbers of the axes.
        mode: of the padding.
        bias: whether there is one.
    """

    height: Axis
    width: Axis
    channels: Channels
    batch: int | None = 1
    padding: str = ""
    mode: str = "zeros"
    bias: bool = True

    def supported(self, capabilities: Capabilities) -> bool:
        """Whether a backend with these capabilities has to handle the layer."""
        return (
            (capabilities.groups or self.channels.groups == 1)
            and (capabilities.dilation or self.height.dilation == self.width.dilation == 1)
            and (capabilities.string_padding or not self.padding)
            and self.mode in capabilities.padding_modes
        )

    @property
    def cost(self) -> int:
        """Multiply-adds of a forward pass, and eight for each element moved, those of the padding among them."""
        windows = taps = padded = 1
        for axis in (self.height, self.width):
            taps *= axis.kernel
            padded *= axis.size + 2 * axis.padding
            windows *= axis.size if self.padding == "same" else axis.output
        groups, inputs, outputs = self.channels.groups, self.channels.inputs, self.channels.outputs
        weight = inputs // groups * outputs * taps
        moved = inputs * padded + outputs * windows
        return max(1, self.batch or 1) * (weight * windows + 8 * moved) + 8 * weight

    def within(self, budget: int) -> Plan:
        """The plan with groups, channels per group and batch halved, largest first, until its cost fits."""
        plan = self
        while plan.cost > budget:
            groups = plan.channels.groups
            into, out = plan.channels.inputs // groups, plan.channels.outputs // groups
            batch = plan.batch or 1
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
            channels = Channels(groups, groups * into, groups * out)
            plan = replace(plan, channels=channels, batch=batch if plan.batch else plan.batch)
        return plan


def spell(draw: Draw, plan: Plan) -> Layer:
    """The arguments of a plan, equal pairs written as an int now and then, and the shape of its input."""
    spelling = draw(0, 15)
    axes = (plan.height, plan.width)
    kernel, stride, padding, dilation = (
        pair[0] if spelling & 1 << bit and pair[0] == pair[1] else pair
        for bit, pair in enumerate(
            (a, b)
            for a, b in zip(
                *((x.kernel, x.stride, x.padding, x.dilation) for x in axes),
                strict=True,
            )
        )
    )
    channels = plan.channels
    arguments = Arguments(
        channels.inputs,
        channels.outputs,
        kernel,
        stride,
        plan.padding or padding,
        dilation,
        channels.groups,
        plan.bias,
        plan.mode,
    )
    image = (channels.inputs, plan.height.size, plan.width.size)
    return arguments, image if plan.batch is None else (plan.batch, *image)


def small(draw: Draw, capabilities: Capabilities) -> Plan:
    """Any layer on a small image."""
    plan = _any(draw, capabilities, medium=False)
    return replace(plan, batch=_batch(draw, capabilities)).within(SMALL_BUDGET)


def medium(draw: Draw, capabilities: Capabilities) -> Plan:
    """Any layer on 8 to 32 images of 16 to 64 pixels a side: some defects need the room."""
    plan = replace(_any(draw, capabilities, medium=True), batch=draw(8, 32))
    return _keeping_batch(plan, MEDIUM_BUDGET)


def deep(draw: Draw, capabilities: Capabilities) -> Plan:
    """65 to 512 channels on a tiny image, where blocks over channels leave a tail."""
    height, width = (
        Axis(draw(kernel, kernel + 3), kernel, pick(draw, (1, 1, 2)), draw(0, kernel // 2))
        for kernel in (pick(draw, (1, 3, 1, 2)), pick(draw, (1, 3, 1, 2)))
    )
    many, few = pick(draw, _DEPTH), pick(draw, _PER_GROUP)
    kind = draw(0, 5)
    if kind == 5:
        # more weights than 16 bits can count
        few = _SIXTEEN_BITS // (many * height.kernel * width.kernel) + draw(1, 40)
        channels = Channels(1, many, few)
    elif kind == 4 and capabilities.groups:
        channels = Channels(many, many, many * pick(draw, (1, 1, 2)))
    else:
        channels = Channels(1, many, few) if kind < 2 else Channels(1, few, many)
    return Plan(height, width, channels, draw(1, 3), bias=draw(0, 3) != 3)


def common(draw: Draw, capabilities: Capabilities) -> Plan:
    """What most networks consist of, on any image: 3×3, 1×1, 5×5, 7×7, depthwise 3×3, and patches side by side."""
    kernel, stride = pick(draw, ((3, 1), (3, 1), (1, 1), (5, 1), (7, 1), (3, 2), (1, 2), (2, 2), (4, 4), (8, 8)))
    padding = kernel // 2 if kernel % 2 else 0
    height, width = (Axis(draw(kernel, 40), kernel, stride, padding) for _ in range(2))
    into, out = pick(draw, _PER_GROUP), pick(draw, _PER_GROUP)
    depthwise = kernel == 3 and capabilities.groups and draw(0, 2) == 2
    channels = Channels(into, into, into) if depthwise else Channels(1, into, out)
    return Plan(height, width, channels, draw(1, 4), bias=draw(0, 1) == 1).within(COMMON_BUDGET)


def fitting(draw: Draw, kernel: int, stride: int, dilation: int, padding: int, mode: str = "zeros") -> Axis:
    """An axis of the smallest legal size, plus windows, plus a remainder that the stride leaves over."""
    least = fewest_pixels(kernel, dilation, 2 * padding, padding, mode)
    return Axis(least + pick(draw, _SPARE) + draw(0, stride - 1), kernel, stride, padding, dilation)


def _any(draw: Draw, capabilities: Capabilities, *, medium: bool) -> Plan:
    kernel = (pick(draw, _KERNEL), pick(draw, _KERNEL))
    stride = (pick(draw, _STRIDE), pick(draw, _STRIDE))
    dilation = (pick(draw, _DILATION), pick(draw, _DILATION)) if capabilities.dilation else (1, 1)
    if draw(0, 3) == 3:  # square layers are the common ones
        kernel, stride, dilation = ((v[0], v[0]) for v in (kernel, stride, dilation))
    mode = pick(draw, modes(capabilities))
    kind = draw(0, 9)
    padding = ""
    if kind >= 8 and capabilities.string_padding:
        padding = "same" if kind == 9 else pick(draw, ("valid", "same"))
    if padding == "same":
        stride = (1, 1)
    height, width = (
        _axis(draw, k, s, d, padding if padding or kind >= 3 else "valid", mode, medium=medium)
        for k, s, d in zip(kernel, stride, dilation, strict=True)
    )
    groups = pick(draw, _GROUPS) if capabilities.groups else 1
    channels = Channels(groups, groups * pick(draw, _PER_GROUP), groups * pick(draw, _PER_GROUP))
    return Plan(height, width, channels, 1, padding, mode, draw(0, 3) != 3)


def modes(capabilities: Capabilities) -> tuple[str, ...]:
    """The padding modes, zeros as often as all others together."""
    others = tuple(m for m in capabilities.padding_modes if m != "zeros")
    return ("zeros",) * (1 + len(others)) + others if "zeros" in capabilities.padding_modes else others


def _axis(draw: Draw, kernel: int, stride: int, dilation: int, padding: str, mode: str, *, medium: bool) -> Axis:
    reach = dilation * (kernel - 1)
    if padding == "same":
        total, widest = reach, (reach + 1) // 2
    else:
        # half the reach keeps the size; the extent and one more are padding ≥ kernel
        amounts = (0, 1, (reach + 1) // 2, reach, 2, reach + 1, reach + 2)
        widest = 0 if padding else pick(draw, amounts)
        total = 2 * widest
    least = fewest_pixels(kernel, dilation, total, widest, mode)
    size = max(least, draw(16, 64)) if medium else least + pick(draw, _SPARE)
    return Axis(size + draw(0, stride - 1), kernel, stride, widest, dilation)


def fewest_pixels(kernel: int, dilation: int, total: int, widest: int, mode: str) -> int:
    """The fewest pixels of an axis that are legal with `total` pixels of padding, `widest` on the wider side."""
    wrapped = {"reflect": widest + 1, "circular": widest}.get(mode, 1)
    return max(1, wrapped, dilation * (kernel - 1) + 1 - total)


def _batch(draw: Draw, capabilities: Capabilities) -> int | None:
    if capabilities.unbatched and draw(0, 15) == 15:
        return None
    batch = pick(draw, _BATCH)
    return batch if capabilities.empty_batch else max(1, batch)


def _keeping_batch(plan: Plan, budget: int) -> Plan:
    """The plan within the budget, its channels reduced before its batch."""
    batch = plan.batch or 1
    fitted = replace(plan, batch=1).within(budget // batch)
    return replace(fitted, batch=batch).within(budget)
