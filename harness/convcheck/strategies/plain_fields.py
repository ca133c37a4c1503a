"""The fields of the plain representation of cases, and how quantities above 99 are written in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

Numbers: TypeAlias = Mapping[str, int]
"""The number of each field, by its name; 0, the simplest, where it is left out."""

SPELLED: Final = ("kernel_spelled", "stride_spelled", "padding_spelled", "dilation_spelled")
FLAGS: Final = ("bias", *SPELLED)
BASE: Final = 100
SIDES: Final = ("_h", "_w")

_DIGITS: Final = {
    "batch": 2,
    "groups": 2,
    "in_per_group": 2,
    "out_per_group": 2,
    "spare_h": 2,
    "spare_w": 2,
    "seed": 5,
}
"""Quantities that may be above 99, and their digits."""


def digits(quantity: str) -> tuple[str, ...]:
    """The fields of a quantity, the highest digit first; the lowest has the quantity's name."""
    return (*(f"{quantity}_{at}" for at in range(_DIGITS.get(quantity, 1) - 1, 0, -1)), quantity)


_QUANTITIES: Final = (
    "entry", "dtype", "regime", "layout_x", "layout_weight", "layout_grad", "layout_bias", "placement",
    "mode", "padding", "dilation_h", "dilation_w", "groups", "stride_h", "stride_w", "padding_h", "padding_w",
    "form", "batch", "in_per_group", "out_per_group", "kernel_h", "kernel_w", "spare_h", "spare_w",
    "bias", *SPELLED, "nonzeros", "seed",
)  # fmt: skip

FIELDS: Final = tuple(field for quantity in _QUANTITIES for field in digits(quantity))
"""All fields. Hypothesis lowers earlier ones at the price of later ones: what a reader has to understand comes first,
and what only costs time after it."""

HIGHEST: Final = {"batch_1": 9, "groups_1": 9, "spare_h_1": 39, "spare_w_1": 39, "seed_4": 42}
"""The greatest number of some highest digits: with all fields at their greatest, sizes still are 64-bit."""

GENERATED: Final = {
    "dilation_h": 4, "dilation_w": 4, "groups": 15, "stride_h": 4, "stride_w": 4, "padding_h": 8, "padding_w": 8,
    "batch": 8, "in_per_group": 32, "out_per_group": 32, "kernel_h": 6, "kernel_w": 6, "spare_h": 39, "spare_w": 39,
    "bias": 1, **dict.fromkeys(SPELLED, 1),
}  # fmt: skip
"""The greatest number of a field when cases are generated, where the backend does not limit it further.

There is no seed among them: each layer has data of its own anyway, and a search would climb from seed to seed."""


def amount(numbers: Numbers, quantity: str) -> int:
    """The quantity that some numbers give."""
    total = 0
    for field in digits(quantity):
        total = total * BASE + numbers.get(field, 0)
    return total


def in_digits(amounts: Mapping[str, int]) -> dict[str, int]:
    """The numbers that give some quantities; what is too large for its digits is cut off."""
    return {
        field: value // BASE**power % BASE
        for name, value in amounts.items()
        for power, field in enumerate(reversed(digits(name)))
    }
