"""Literals: the single conditions of which a failure condition is made, each with how surprising it would be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from convcheck.model.rules import OF_STRIDES, Facts

_DEFAULTS: Final = {
    "groups": 1, "in_per_group": 1, "out_per_group": 1, "batch": 1,
    "kernel_h": 1, "kernel_w": 1, "stride_h": 1, "stride_w": 1, "dilation_h": 1, "dilation_w": 1,
    "padding_h": 0, "padding_w": 0, "left_over_h": 0, "left_over_w": 0, "output_h": 1, "output_w": 1,
    "in_channels": 1, "out_channels": 1, "extent_h": 1, "extent_w": 1,
    "height": 1, "width": 1, "pad_bottom": 0, "pad_right": 0,
}  # fmt: skip
"""Counts and their plainest values, the more telling before those that follow from them."""

_DERIVED: Final = ("in_channels", "out_channels", "extent_h", "extent_w", "height", "width", "pad_bottom", "pad_right")
_CHOICES: Final = {
    "padding_mode": "zeros",
    "dtype": "float32",
    "values": "reals",
    "layout_x": "contiguous",
    "layout_weight": "contiguous",
    "layout_grad": "contiguous",
    "layout_bias": "contiguous",
    "placement": "aligned",
    "entry": "function",
}
_SWITCHES: Final = ("bias", "unbatched", "padding_same")
_SPELLINGS: Final = ("padding_valid", "stride_pair", "kernel_pair", "padding_pair", "dilation_pair")
"""How the arguments are spelled, which few kernels see."""

_ALIGNMENTS: Final = ("alignment", "alignment_x", "alignment_weight", "alignment_bias", "alignment_grad")
_BYTES: Final = (64, 32, 16, 8, 4)
"""That loads ask for."""

_AXES: Final = ("kernel", "stride", "dilation", "padding", "left_over", "output")
_DIVIDED: Final = (
    "output_w", "output_h", "out_per_group", "in_per_group", "out_channels", "in_channels", "width", "height",
    "kernel_w", "kernel_h", "groups", "batch",
)  # fmt: skip
_PRODUCTS: Final = (
    "in_per_group * kernel_h * kernel_w",  # the length of the sums
    "output_h * output_w",
    "kernel_h * kernel_w",
)
_RELATIONS: Final = (
    ("batch > 0", 1.0),
    ("stride_h > kernel_h", 1.2), ("stride_w > kernel_w", 1.2),
    ("stride_h > kernel_h or stride_w > kernel_w", 1.4),
    ("stride_h > extent_h", 1.4), ("stride_w > extent_w", 1.4),
    ("padding_h >= extent_h", 1.4), ("padding_w >= extent_w", 1.4),
    ("padding_h >= extent_h or padding_w >= extent_w", 1.5),
    ("padding_h >= kernel_h", 1.5), ("padding_w >= kernel_w", 1.5),
    ("pad_bottom > padding_h", 1.2), ("pad_right > padding_w", 1.2),
    ("pad_bottom > padding_h or pad_right > padding_w", 1.3),
    ("pad_bottom > 0 or pad_right > 0", 1.3),
    ("padding_h != padding_w or pad_bottom != pad_right", 1.3),
    # what the windows read of the padding after the image
    ("pad_bottom > left_over_h", 1.3), ("pad_right > left_over_w", 1.3),
    ("pad_bottom > left_over_h or pad_right > left_over_w", 1.4),
    ("groups == in_channels", 1.3), ("groups == out_channels", 1.4),
    ("in_per_group == out_per_group", 1.4), ("in_per_group != out_per_group", 1.3),
    ("in_per_group > out_per_group", 1.4), ("in_per_group < out_per_group", 1.4),
    ("output_w == out_channels", 1.4), ("output_h == out_channels", 1.4),
    ("output_h == output_w", 1.4), ("output_h > output_w", 1.5), ("output_h < output_w", 1.5),
    ("output_h != output_w", 1.4), ("height != width", 1.5), ("height == width", 1.5),
    ("height > width", 1.6), ("height < width", 1.6),
    ("output_w != width", 1.4),
    ("output_h != height", 1.4),
    ("output_w == width", 1.5),
    ("output_h == height", 1.5),
    ("output_h != height or output_w != width", 1.5),
    ("padding_h >= height", 1.5), ("padding_w >= width", 1.5),
    ("extent_h > height", 1.5), ("extent_w > width", 1.5),
    ("extent_h > height or extent_w > width", 1.5),
    ("extent_h == height and extent_w == width", 1.5),
    ("stride_h > 1 and output_h > 1 or stride_w > 1 and output_w > 1", 1.4),
    # fewer windows on an axis than a tap is wide, or than there are taps
    *(
        (f"output_{axes[0]} < {stem}_{axes[0]}" + "".join(f" or output_{a} < {stem}_{a}" for a in axes[1:]), weight)
        for stem in ("dilation", "kernel")
        for axes, weight in (("h", 1.4), ("w", 1.4), ("hw", 1.5))
    ),
    # on an axis with more than one tap
    *(
        (f"{stem}_h > {least} and kernel_h > 1 or {stem}_w > {least} and kernel_w > 1", 1.4)
        for stem, least in (("dilation", 1), ("stride", 1), ("padding", 0))
    ),
    ("kernel_h > 1 or kernel_w > 1", 1.1),
    # kernel against stride: residue classes and patches
    ("kernel_h == stride_h", 1.4), ("kernel_w == stride_w", 1.4),
    ("kernel_h > stride_h", 1.4), ("kernel_w > stride_w", 1.4), ("kernel_h > stride_h or kernel_w > stride_w", 1.5),
    ("kernel_h == stride_h and kernel_w == stride_w", 1.4),
    ("kernel_h % stride_h != 0 or kernel_w % stride_w != 0", 1.4),
    ("kernel_h % stride_h == 0 and kernel_w % stride_w == 0", 1.5),
    ("out_per_group % in_per_group == 0", 1.6), ("in_per_group % out_per_group == 0", 1.6),
    ("padding_same or padding_valid", 1.3),
    ("row_bytes % 16 != 0", 1.6), ("row_bytes % 32 != 0", 1.6), ("row_bytes % 64 != 0", 1.6),
    ("kernel_h == 1 and kernel_w == 1", 1.1),
    ("kernel_h % 2 == 0 or kernel_w % 2 == 0", 1.3),
    ("layout_x != 'contiguous' or layout_weight != 'contiguous'", 1.3),
    ("layout_x == layout_weight", 1.8),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Literal:
    """One condition, and how many plain literals it weighs as much as."""

    text: str
    weight: float


def literals(base: Facts, seen: Sequence[Facts]) -> tuple[Literal, ...]:
    """The literals that may stand in a rule: candidates for what makes the case of `base` fail.

    Args:
        base: of a failing case. The caller drops what does not hold there.
        seen: of all labelled cases; thresholds and sets are made of their values.
    """
    found: dict[str, float] = {}
    for literal in (
        *_switches(base),
        *_choices(base, seen),
        *_counts(base, seen),
        *_alignments(base),
        *_axes(base),
        *_remainders(base),
        *_products(base, seen),
        *(Literal(text, weight) for text, weight in _RELATIONS),
    ):
        found.setdefault(literal.text, literal.weight)
    return tuple(Literal(text, weight) for text, weight in found.items())


def _switches(base: Facts) -> Iterator[Literal]:
    for name in _SWITCHES:
        yield Literal(name if base[name] else f"not {name}", 1.0 if base[name] else 1.1)
    for name in OF_STRIDES:
        yield Literal(name if base[name] else f"not {name}", 1.05 if base[name] else 1.3)
    for name in _SPELLINGS:
        yield Literal(name if base[name] else f"not {name}", 1.2 if base[name] else 1.8)


def _choices(base: Facts, seen: Sequence[Facts]) -> Iterator[Literal]:
    for name, default in _CHOICES.items():
        yield Literal(f"{name} == {base[name]!r}", 1.0 if base[name] != default else 1.2)
        yield Literal(f"{name} != {default!r}", 1.1)
        for other in _values(name, seen):
            if other not in (base[name], default):
                yield Literal(f"{name} in {tuple(sorted((str(base[name]), str(other))))!r}", 1.4)
                yield Literal(f"{name} != {other!r}", 1.3)


def _counts(base: Facts, seen: Sequence[Facts]) -> Iterator[Literal]:
    for name, default in _DEFAULTS.items():
        value = int(base[name])
        extra = 0.25 if name in _DERIVED else 0.0
        yield Literal(f"{name} > {default}", 1.0 + extra)
        yield Literal(f"{name} == {default}", 1.0 + extra)
        yield Literal(f"{name} == {value}", 1.5 + extra)
        for threshold in _values(name, seen):
            limit = int(threshold)
            if default < limit < value:
                yield Literal(f"{name} > {limit}", 1.3 + extra)
            elif limit >= value:
                yield Literal(f"{name} <= {limit}", 1.9 + extra)


def _alignments(base: Facts) -> Iterator[Literal]:
    for name in _ALIGNMENTS:
        for size in _BYTES:
            text = f"{name} < {size}" if int(base[name]) < size else f"{name} >= {size}"
            yield Literal(text, 1.2 if name == "alignment" else 1.25)


def _axes(base: Facts) -> Iterator[Literal]:
    for stem in _AXES:
        default = _DEFAULTS[f"{stem}_h"]
        yield Literal(f"{stem}_h > {default} or {stem}_w > {default}", 1.1)
        for limit in (default + 1, default + 2, default + 3):
            yield Literal(f"{stem}_h > {limit} or {stem}_w > {limit}", 1.5)
        yield Literal(f"{stem}_h != {stem}_w", 1.05)
        yield Literal(f"{stem}_h == {stem}_w", 1.3)
        yield Literal(f"{stem}_h > {stem}_w", 1.4)
        yield Literal(f"{stem}_h < {stem}_w", 1.4)
        if base[f"{stem}_h"] == base[f"{stem}_w"]:
            yield Literal(f"{stem}_h == {stem}_w == {base[f'{stem}_h']}", 1.6)
    for axis in "hw":
        for divided, divisor in (("kernel", "stride"), ("extent", "stride")):
            text = f"{divided}_{axis} % {divisor}_{axis}"
            yield Literal(f"{text} == {int(base[f'{divided}_{axis}']) % int(base[f'{divisor}_{axis}'])}", 1.7)
            yield Literal(f"{text} != 0", 1.4)


def _remainders(base: Facts) -> Iterator[Literal]:
    for name in _DIVIDED:
        few = name in ("kernel_h", "kernel_w", "groups", "batch")
        for divisor in (2, 3, 4) if few else (2, 3, 4, 5, 6, 7, 8, 12, 16, 32):
            rest, extra = int(base[name]) % divisor, 0.0 if divisor.bit_count() == 1 else 0.4
            yield Literal(f"{name} % {divisor} == {rest}", extra + (1.4 if divisor == 2 or not rest else 1.7))
            if rest and divisor > 2:
                yield Literal(f"{name} % {divisor} != 0", extra + 1.35)


def _products(base: Facts, seen: Sequence[Facts]) -> Iterator[Literal]:
    for text in _PRODUCTS:
        names = text.split(" * ")
        value = product(base, names)
        for divisor in (2, 4, 8, 16):
            yield Literal(f"{text} % {divisor} == {value % divisor}", 1.9)
            if value % divisor:
                yield Literal(f"{text} % {divisor} != 0", 1.7)
        for limit in sorted({product(facts, names) for facts in seen}):
            if limit < value:
                yield Literal(f"{text} > {limit}", 1.7)
            else:
                yield Literal(f"{text} <= {limit}", 1.9)


def product(facts: Facts, names: Iterable[str]) -> int:
    """The product of some of the counts."""
    product = 1
    for name in names:
        product *= int(facts[name])
    return product


def _values(name: str, seen: Sequence[Facts]) -> list[int | str | bool]:
    return sorted({facts[name] for facts in seen})
