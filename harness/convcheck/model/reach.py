"""How far cases reach: the quantities that a kernel may branch on, and the thresholds that kernels have.

Thresholds are powers of two with both their neighbours, where SIMD lanes, warps, tiles and bit fields begin and end,
and three halves of them, as tiles of 24, 48 or 96 have. Beyond what a case can afford exactly, each octave counts. A
ladder says up to where.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from convcheck.model.case import Case
from convcheck.model.ladder import Ladder


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that a kernel may branch on.

    Attributes:
        name: as reports show it.
        exact: by ladder, up to where powers of two and both their neighbours are targets.
        octaves: by ladder, up to where each octave is one.
    """

    name: str
    exact: tuple[int, int, int]
    octaves: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Target:
    """Values of a quantity, one of which has to be judged.

    Attributes:
        quantity: its name.
        low: the least of them.
        high: the largest.
    """

    quantity: str
    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.low:,}" if self.low == self.high else f"{self.low:,} to {self.high:,}"


_SIDE: Final = (64, 1 << 9, 1 << 12), (64, 1 << 16, 1 << 20)
_CHANNELS: Final = (64, 1 << 9, 1 << 11), (64, 1 << 16, 1 << 18)
_TAPS: Final = (8, 64, 128), (16, 256, 1 << 10)
_STRIDE: Final = (4, 32, 64), (8, 1 << 12, 1 << 13)
# engines that generate code for each stride take half a minute beyond (torch 2.13, 46,340), or crash (32,768)
_DILATION: Final = (4, 32, 64), (8, 1 << 16, 1 << 18)
_PADDING: Final = (4, 32, 64), (8, 1 << 15, 1 << 17)

QUANTITIES: Final = (
    Quantity("batch", *_CHANNELS),
    Quantity("in_channels", *_CHANNELS),
    Quantity("out_channels", *_CHANNELS),
    Quantity("groups", (16, 256, 512), (32, 1 << 12, 1 << 14)),
    Quantity("in_channels per group", *_CHANNELS),
    Quantity("out_channels per group", *_CHANNELS),
    Quantity("height", *_SIDE),
    Quantity("width", *_SIDE),
    Quantity("pixels", (0, 0, 0), (1 << 12, 1 << 17, 1 << 21)),
    Quantity("output height", *_SIDE),
    Quantity("output width", *_SIDE),
    Quantity("output pixels", (0, 0, 0), (1 << 12, 1 << 16, 1 << 21)),
    Quantity("kernel height", *_TAPS),
    Quantity("kernel width", *_TAPS),
    Quantity("taps", (0, 0, 0), (64, 1 << 10, 1 << 12)),
    Quantity("extent height", (0, 0, 0), (32, 1 << 16, 1 << 18)),
    Quantity("extent width", (0, 0, 0), (32, 1 << 16, 1 << 18)),
    Quantity("stride height", *_STRIDE),
    Quantity("stride width", *_STRIDE),
    Quantity("padding height", *_PADDING),
    Quantity("padding width", *_PADDING),
    Quantity("dilation height", *_DILATION),
    Quantity("dilation width", *_DILATION),
    Quantity("reduction length", (0, 0, 0), (1 << 10, 1 << 16, 1 << 18)),
    Quantity("reduction length of grad_weight", (0, 0, 0), (1 << 12, 1 << 16, 1 << 20)),
    Quantity("elements of x", (0, 0, 0), (1 << 14, 1 << 19, 1 << 22)),
    Quantity("elements of weight", (0, 0, 0), (1 << 14, 1 << 21, 1 << 23)),
    Quantity("elements of output", (0, 0, 0), (1 << 14, 1 << 20, 1 << 22)),
    Quantity("elements of im2col", (0, 0, 0), (1 << 14, 1 << 23, 1 << 26)),
    Quantity("multiply-adds", (0, 0, 0), (1 << 18, 1 << 27, 1 << 31)),
    # blocks of a grid, whose second and third side are limited to 65,535
    Quantity("batch × groups", (0, 0, 0), (64, 1 << 17, 1 << 18)),
    Quantity("batch × in_channels", (0, 0, 0), (64, 1 << 17, 1 << 18)),
    Quantity("batch × out_channels", (0, 0, 0), (64, 1 << 17, 1 << 18)),
    # both of two, or all of three, are at least so large: tiled kernels branch on that
    Quantity("in_channels and out_channels", (0, 0, 0), (32, 1 << 10, 1 << 10)),
    Quantity("in_channels and output pixels", (0, 0, 0), (32, 1 << 9, 1 << 10)),
    Quantity("out_channels and output pixels", (0, 0, 0), (32, 1 << 9, 1 << 10)),
    Quantity("in_channels and batch", (0, 0, 0), (16, 256, 512)),
    Quantity("out_channels and batch", (0, 0, 0), (16, 256, 512)),
    Quantity("groups and channels per group", (0, 0, 0), (8, 32, 64)),
    Quantity("groups and output pixels", (0, 0, 0), (16, 256, 512)),
    Quantity("batch and output pixels", (0, 0, 0), (16, 256, 512)),
    Quantity("in_channels, out_channels and output pixels", (0, 0, 0), (16, 128, 256)),
    Quantity("kernel and stride", (0, 0, 0), (4, 16, 32)),
    Quantity("kernel and dilation", (0, 0, 0), (4, 16, 32)),
)
"""In the order of reports."""

TILES: Final = (32, 64, 128)
REMAINDERS: Final = tuple(f"remainders of channels by {tile}" for tile in TILES)
"""Of channels per group, where both in and out exceed a tile: none, of out, of in, or of both, numbered from 1."""

NAMES: Final = (*(quantity.name for quantity in QUANTITIES), *REMAINDERS)


def quantities(case: Case) -> Mapping[str, int]:
    """The value of each quantity for a legal case; an unbatched input is a batch of one.

    Raises:
        ConvcheckError: the case is illegal.
    """
    params, (channels, height, width) = case.params, case.input_shape[-3:]
    output_height, output_width = case.output_shape[-2:]
    batch, groups, outputs = case.batch, params.groups, params.out_channels
    (kh, kw), (sh, sw), (dh, dw) = params.kernel_size, params.stride, params.dilation
    into, out, pixels = channels // groups, outputs // groups, output_height * output_width
    rows = batch * pixels
    values = (
        batch,
        channels,
        outputs,
        groups,
        into,
        out,
        height,
        width,
        height * width,
        output_height,
        output_width,
        pixels,
        kh,
        kw,
        kh * kw,
        *params.extent,
        sh if output_height > 1 else 1,
        sw if output_width > 1 else 1,
        *(max(sides) for sides in params.padding),
        dh if kh > 1 else 1,
        dw if kw > 1 else 1,
        params.fan_in,
        rows,
        math.prod(case.input_shape),
        math.prod(params.weight_shape),
        rows * outputs,
        rows * params.fan_in * groups,
        rows * outputs * params.fan_in,
        batch * groups,
        batch * channels,
        batch * outputs,
        min(into, out),
        min(into, pixels),
        min(out, pixels),
        min(into, batch),
        min(out, batch),
        min(groups, max(into, out)),
        min(groups, pixels),
        min(batch, pixels),
        min(into, out, pixels),
        max(min(kh, sh), min(kw, sw)),
        max(min(kh, dh), min(kw, dw)),
        *(_remainders(into, out, tile) for tile in TILES),
    )
    return dict(zip(NAMES, values, strict=True))


def _remainders(into: int, out: int, tile: int) -> int:
    return 1 + 2 * (into % tile > 0) + (out % tile > 0) if min(into, out) > tile else 0


@cache
def targets(ladder: Ladder) -> tuple[Target, ...]:
    """All targets of a ladder, in the order of the quantities, the smallest first."""
    rung = list(Ladder).index(ladder)
    ranges = tuple(
        Target(q.name, low, high) for q in QUANTITIES for low, high in sorted(_ranges(q.exact[rung], q.octaves[rung]))
    )
    tiles = REMAINDERS[:1] if ladder is Ladder.QUICK else REMAINDERS
    return *ranges, *(Target(name, kind, kind) for name in tiles for kind in (1, 2, 3, 4))


def _ranges(exact: int, octaves: int) -> set[tuple[int, int]]:
    found = {(value, value) for k in range(1, exact.bit_length()) for value in ((1 << k) - 1, 1 << k, (1 << k) + 1)}
    found |= {(3 * (1 << k) + 1, 4 * (1 << k) - 1) for k in range(2, exact.bit_length() - 2)}
    first = max(exact, 2).bit_length() if exact else 1
    found |= {(1 << k, (2 << k) - 1) for k in range(first, octaves.bit_length())}
    return found


@cache
def _edges(name: str) -> tuple[int, ...]:
    """Where the targets of any ladder begin, and where they have ended: between two edges values are alike."""
    some = [t for ladder in Ladder for t in targets(ladder) if t.quantity == name]
    return tuple(sorted({edge for target in some for edge in (target.low, target.high + 1)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachCount:
    """How far the cases of one backend reached in one quantity.

    Attributes:
        backend: its name.
        quantity: the name of the quantity.
        largest: value that was looked at.
        crossed: as `Reach.crossed`.
    """

    backend: str
    quantity: str
    largest: int
    crossed: tuple[int, ...]


@dataclass(slots=True)
class Reach:
    """What was reached.

    Attributes:
        largest: the largest value of each quantity.
        crossed: for each quantity the edges of targets that values lay just above, by number.
    """

    largest: dict[str, int] = field(default_factory=dict)
    crossed: dict[str, set[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, counts: Iterable[ReachCount]) -> Reach:
        """What was reached, from its counts."""
        found = cls()
        for c in counts:
            found.add(cls({c.quantity: c.largest}, {c.quantity: set(c.crossed)}))
        return found

    def counts(self, backend: str) -> tuple[ReachCount, ...]:
        """The same as counts of a backend, in the order of the quantities."""
        return tuple(
            ReachCount(
                backend=backend, quantity=name, largest=self.largest[name], crossed=tuple(sorted(self.crossed[name]))
            )
            for name in NAMES
            if name in self.largest
        )

    def look_at(self, case: Case) -> None:
        """Count a legal case in.

        Raises:
            ConvcheckError: the case is illegal.
        """
        for name, value in quantities(case).items():
            self.largest[name] = max(value, self.largest.get(name, 0))
            self.crossed.setdefault(name, set()).add(bisect_right(_edges(name), value))

    def add(self, other: Reach) -> None:
        """Count in what another has reached."""
        for name, value in other.largest.items():
            self.largest[name] = max(value, self.largest.get(name, 0))
            self.crossed.setdefault(name, set()).update(other.crossed[name])

    def meets(self, target: Target) -> bool:
        """Whether one of the target's values was looked at."""
        edges = _edges(target.quantity)
        first, last = bisect_right(edges, target.low), bisect_right(edges, target.high)
        return any(first <= edge <= last for edge in self.crossed.get(target.quantity, ()))
