"""Layers that cross thresholds: few, each of which meets as many targets of a ladder as it can afford.

Most thresholds are crossed by thin layers, one size large and the rest near 1, at the price of a small one: a row of
65,537 pixels costs no more than an image of 256 × 257. So each layer takes one large size, and smaller ones of other
quantities as long as it stays cheap.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from convcheck.model.case import Case
from convcheck.model.ladder import Ladder
from convcheck.model.reach import REMAINDERS, TILES, Reach, Target, quantities, targets
from convcheck.strategies.layers import Axis, Channels, Plan, spell

DECKS: Final = 4
"""Ways to put the targets together: a long run takes another way each time."""

_BUDGET: Final[Mapping[Ladder, int]] = {Ladder.QUICK: 500_000, Ladder.STANDARD: 2_300_000, Ladder.DEEP: 64_000_000}
"""What one layer may cost, as `Plan.cost` has it."""

_TOGETHER: Final = 6
"""A layer that meets one target already takes others as long as it costs no more than one in so many of the budget:
what is put together saves layers, and what each of them costs is paid whatever it meets."""

_MOST_TAPS: Final = 1 << 11
"""Taps of a kernel that two large sides are not to exceed together: an engine that generates code for each takes
minutes (torch 2.13, bfloat16, 449 × 31: 71 seconds for one gradient)."""

_USUAL: Final = ((3, 3), (3, 3), (1, 1), (1, 1), (5, 5), (1, 3), (3, 1), (7, 7), (2, 2))
"""Kernels as most networks have them: what happens at a threshold may hang on them."""

_FEW: Final = 6


class _Sizes(NamedTuple):
    """A layer under construction: what is not set yet is the least that is legal.

    Attributes:
        batch: images.
        groups: of channels.
        into: input channels per group.
        out: output channels per group.
        kernel: taps along both axes.
        stride: along both axes.
        padding: along both axes.
        dilation: along both axes.
        size: pixels of the image along both axes; 0 for as few as the output takes.
        output: outputs along both axes; what a given size leaves is more.
    """

    batch: int = 1
    groups: int = 1
    into: int = 1
    out: int = 1
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    size: tuple[int, int] = (0, 0)
    output: tuple[int, int] = (0, 0)

    def plan(self) -> Plan | None:
        """The layer; None if it cannot be."""
        axes = [self._axis(which) for which in (0, 1)]
        if axes[0] is None or axes[1] is None:
            return None
        channels = Channels(self.groups, self.groups * self.into, self.groups * self.out)
        return Plan(axes[0], axes[1], channels, self.batch)

    def _axis(self, which: int) -> Axis | None:
        kernel, stride, padding = self.kernel[which], self.stride[which], self.padding[which]
        dilation, size, output = self.dilation[which], self.size[which], self.output[which]
        extent = dilation * (kernel - 1) + 1
        least = max(1, extent - 2 * padding)
        if output:
            exact = (output - 1) * stride + extent - 2 * padding
            if size or exact < 1:
                return None
            size = exact
        size = size or least
        return Axis(size, kernel, stride, padding, dilation) if size >= least else None


_FIELDS: Final[Mapping[str, tuple[str, int | None]]] = {
    "batch": ("batch", None),
    "groups": ("groups", None),
    "in_channels": ("into", None),
    "out_channels": ("out", None),
    "in_channels per group": ("into", None),
    "out_channels per group": ("out", None),
    **{
        f"{prefix}{side}": (name, which)
        for which, side in enumerate(("height", "width"))
        for prefix, name in (
            ("", "size"),
            ("output ", "output"),
            ("kernel ", "kernel"),
            ("stride ", "stride"),
            ("padding ", "padding"),
            ("dilation ", "dilation"),
        )
    },
}
"""The size that a quantity is, and of which axis; quantities that are products of sizes have none."""


@lru_cache(maxsize=8)
def deck(ladder: Ladder, number: int, *, groups: bool = True, dilation: bool = True) -> tuple[Plan, ...]:
    """Layers that meet all targets of a ladder that a layer of their cost can meet.

    Args:
        ladder: how far to go.
        number: of the way in which targets are put together.
        groups: whether groups > 1 may be.
        dilation: whether dilation > 1 may be.
    """
    chance = random.Random(number)  # noqa: S311  (no secrets here)
    reached, found = Reach(), list[Plan]()
    for plan in _thin(ladder, chance, groups=groups, dilation=dilation):
        found.append(plan)
        reached.look_at(_case(plan))
    for target in targets(ladder):
        sizes = None if reached.meets(target) else _meeting(target, groups=groups, dilation=dilation)
        found_plan = None if sizes is None else sizes.plan()
        if found_plan is not None and found_plan.cost <= _BUDGET[ladder]:
            found.append(found_plan)
            reached.look_at(_case(found_plan))
    return tuple(found)


def _thin(ladder: Ladder, chance: random.Random, *, groups: bool, dilation: bool) -> Iterator[Plan]:
    """Layers that take a target of each size at once, the largest that they can afford."""
    budget = _BUDGET[ladder]
    left: dict[str, list[Target]] = {}
    for target in targets(ladder):
        if target.quantity in _FIELDS and _possible(target, groups=groups, dilation=dilation):
            left.setdefault(target.quantity, []).append(target)
    while any(left.values()):
        # what is left most of goes first: there will be as many layers as it has targets
        names = sorted(chance.sample(list(left), len(left)), key=lambda name: -len(left[name]))
        sizes = _begun(left[names[0]], budget, chance)
        for name in names[1:]:
            begun = None if sizes == _Sizes() else sizes.plan()
            affordable = budget if begun is None else max(begun.cost, budget // _TOGETHER)
            sizes = _with_largest(sizes, left[name], affordable, chance)
        plan = _filled(sizes, budget // _TOGETHER, chance).plan()
        assert plan is not None
        values = quantities(_case(plan))
        before = sum(map(len, left.values()))
        left = {name: [t for t in some if not t.low <= values[name] <= t.high] for name, some in left.items()}
        if sum(map(len, left.values())) == before:
            return  # what is left costs too much
        yield plan


def _begun(left: list[Target], budget: int, chance: random.Random) -> _Sizes:
    """The largest of some targets met: by a usual kernel if that can be afforded."""
    plain = _with_largest(_Sizes(), left, budget, chance)
    usual = _with_largest(_Sizes(kernel=chance.choice(_USUAL)), left, budget, chance)
    met = [target for target in left if _meets(usual.plan(), target)]
    return usual if any(_meets(plain.plan(), target) for target in met) else plain


def _filled(sizes: _Sizes, budget: int, chance: random.Random) -> _Sizes:
    """What is still at its least is a little larger, where that can be afforded."""
    for name in chance.sample(("batch", "into", "out", "output"), 4):
        before = getattr(sizes, name)
        if before in (1, (0, 0)) and (name != "output" or sizes.size == (0, 0)):
            some = chance.randint(1, _FEW), chance.randint(1, _FEW)
            changed = sizes._replace(output=some) if name == "output" else _set(sizes, name, None, some[0])
            plan = changed.plan()
            sizes = changed if plan is not None and plan.cost <= budget else sizes
    return sizes


def _possible(target: Target, *, groups: bool, dilation: bool) -> bool:
    return (groups or target.quantity != "groups") and (dilation or not target.quantity.startswith("dilation"))


def _with_largest(sizes: _Sizes, left: list[Target], budget: int, chance: random.Random) -> _Sizes:
    """The layer with the largest of some targets met that it can afford; as it was if it can afford none."""
    for target in reversed(left):
        name, which = _FIELDS[target.quantity]
        before = getattr(sizes, name)
        if (before if which is None else before[which]) not in (0, 1):
            return sizes  # taken already
        value = chance.randint(target.low, target.high)
        changed = _set(sizes, name, which, value)
        if name == "dilation" and changed.kernel[which or 0] == 1:
            changed = _set(changed, "kernel", which, chance.randint(2, 3))
        if name == "stride" and changed.size[which or 0] == changed.output[which or 0] == 0:
            changed = _set(changed, "output", which, chance.randint(2, 4))
        plan = changed.plan()
        if plan is None or plan.height.kernel * plan.width.kernel > _MOST_TAPS:
            continue
        if plan.cost <= budget and _meets(plan, target):
            return changed
    return sizes


def _set(sizes: _Sizes, name: str, which: int | None, value: int) -> _Sizes:
    entry: Any = value
    if which is not None:
        pair = list(getattr(sizes, name))
        pair[which] = value
        entry = tuple(pair)
    return sizes._replace(**{name: entry})


def _meets(plan: Plan | None, target: Target) -> bool:
    return plan is not None and target.low <= _value(plan, target.quantity) <= target.high


def _value(plan: Plan, quantity: str) -> int:
    """The value of a quantity that is a size, as `convcheck.model.reach.quantities` has it."""
    name, which = _FIELDS[quantity]
    channels = plan.channels
    if which is None:
        groups = 1 if quantity.endswith("_channels") else channels.groups
        values = {"into": channels.inputs // groups, "out": channels.outputs // groups, "groups": channels.groups}
        return values.get(name, plan.batch or 1)
    axis = (plan.height, plan.width)[which]
    if (name == "stride" and axis.output == 1) or (name == "dilation" and axis.kernel == 1):
        return 1  # it makes no difference
    return int(getattr(axis, name))


def _meeting(target: Target, *, groups: bool, dilation: bool) -> _Sizes | None:
    """The thinnest layer that meets a target of a product of sizes, or of several at once; None if none may be."""
    low = target.low
    less = 1 << (low.bit_length() - 1) // 2
    more = -(-low // less)
    side = round(low ** (1 / 3))  # the most work for what is moved
    made: Mapping[str, _Sizes] = {
        "pixels": _Sizes(size=(less, more)),
        "output pixels": _Sizes(output=(less, more)),
        "taps": _Sizes(kernel=(less, more)),
        "extent height": _Sizes(kernel=(2, 1), dilation=(low - 1, 1)) if dilation else _Sizes(kernel=(low, 1)),
        "extent width": _Sizes(kernel=(1, 2), dilation=(1, low - 1)) if dilation else _Sizes(kernel=(1, low)),
        "reduction length": _Sizes(into=low),
        "reduction length of grad_weight": _Sizes(batch=less, output=(1, more)),
        "elements of x": _Sizes(into=less, size=(1, more)),
        "elements of weight": _Sizes(into=less, out=more),
        "elements of output": _Sizes(out=less, output=(1, more)),
        "elements of im2col": _Sizes(into=less, output=(1, more)),
        "multiply-adds": _Sizes(into=side, out=side, output=(1, -(-low // side**2))),
        "batch × in_channels": _Sizes(batch=less, into=more),
        "batch × out_channels": _Sizes(batch=less, out=more),
        "in_channels and out_channels": _Sizes(into=low, out=low),
        "in_channels and output pixels": _Sizes(into=low, output=(1, low)),
        "out_channels and output pixels": _Sizes(out=low, output=(low, 1)),
        "in_channels and batch": _Sizes(batch=low, into=low),
        "out_channels and batch": _Sizes(batch=low, out=low),
        "batch and output pixels": _Sizes(batch=low, output=(less, more)),
        "in_channels, out_channels and output pixels": _Sizes(into=low, out=low, output=(less, more)),
        "kernel and stride": _Sizes(kernel=(low, 1), stride=(low, 1), output=(2, 3)),
        **_of_remainders(low),
    }
    if groups:
        made = {
            **made,
            "batch × groups": _Sizes(batch=less, groups=more),
            "groups and channels per group": _Sizes(groups=low, into=low),
            "groups and output pixels": _Sizes(groups=low, output=(less, more)),
        }
    if dilation:
        made = {**made, "kernel and dilation": _Sizes(kernel=(1, low), dilation=(1, low), output=(3, 2))}
    return made.get(target.quantity)


def _of_remainders(kind: int) -> dict[str, _Sizes]:
    """Channels in and out that exceed a tile, with the remainders of this number."""
    of_in, of_out = (kind - 1) // 2, (kind - 1) % 2
    return {
        name: _Sizes(into=2 * tile + of_in * (tile // 2 + 1), out=2 * tile + of_out * (tile // 4 + 1), output=(1, 2))
        for name, tile in zip(REMAINDERS, TILES, strict=True)
    }


def _case(plan: Plan) -> Case:
    return Case(*spell(lambda low, _: low, plan))
