"""The lattice of promises: what a backend may give up, the least first.

A profile and a set of properties given up make another profile. Of two that explain the same results, that which gives
up less is the tighter promise: fewer properties first, then those that come first in `PROPERTIES`. Whatever is among
Fourier transforms comes after all else, as their bound hides most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from types import MappingProxyType
from typing import Any, Final

from convcheck.model.profiles import TF32_INPUTS, Algorithm, Profile, Quantity
from convcheck_reference.formats import FORMATS

MOST_PROPERTIES: Final = 3
"""Given up at once: whoever gives up four has made hardly any promise."""

_HALF: Final = ("float16", "bfloat16")
_REAL: Final = ("float32", "float64", *_HALF)


@dataclass(frozen=True, slots=True)
class Property:
    """Something that a backend may give up.

    Attributes:
        words: in reports.
        kind: of two properties of one kind only one is given up.
        changes: the fields of the profile; the accumulator of `"dtype"` is the format of the results.
        dtypes: where it means anything.
        quantities: likewise.
    """

    words: str
    kind: str
    changes: Mapping[str, Any]
    dtypes: tuple[str, ...] = ("float32", "float64", "float16", "bfloat16", "complex64", "complex128")
    quantities: tuple[Quantity, ...] = ("output", "grad_input", "grad_weight", "grad_bias")

    def given_up(self, profile: Profile, dtype: str) -> Profile:
        """A profile without it."""
        changes: dict[str, Any] = {k: FORMATS[dtype] if v == "dtype" else v for k, v in self.changes.items()}
        return replace(profile, name="", **changes)


def _property(words: str, kind: str, **changes: Any) -> Property:
    return Property(words, kind, MappingProxyType(changes))


def _algorithm(algorithm: Algorithm, words: str) -> Property:
    changes = MappingProxyType({"algorithm": algorithm})
    return Property(words, "algorithm", changes, _REAL, ("output", "grad_input", "grad_weight"))


_TF32: Final = MappingProxyType(
    {name: getattr(TF32_INPUTS, name) for name in ("input_rounding", "input_precision", "truncating")}
)

_WIDEST: Final = _algorithm(Algorithm.FFT, "transforms (errors within the bound of Fourier transforms)")
"""No other bound covers those of tiles other than 3×3 and of tiles of dilated layers, so the words claim no more."""

PROPERTIES: Final[tuple[Property, ...]] = (
    _property("not repeatable", "repeatable", repeatable=False),
    _property("subnormals flushed", "subnormals", flushes_subnormals=True),
    Property(
        "bias added after rounding to 16 bit",
        "bias",
        MappingProxyType({"rounds_before_bias": True}),
        _HALF,
        ("output",),
    ),
    _property("NaN where zeros that the kernel adds itself meet what is not finite", "nan", spreads_nan=True),
    _property("sums that are truncated", "sums", truncating=True),
    _algorithm(Algorithm.WINOGRAD_F2, "Winograd F(2, 3)"),
    Property("a 16-bit accumulator", "sums", MappingProxyType({"accumulator": "dtype"}), _HALF),
    Property("TF32 operands", "sums", _TF32, ("float32", "complex64"), ("output", "grad_input", "grad_weight")),
    _algorithm(Algorithm.WINOGRAD_F4, "Winograd F(4, 3)"),
    _algorithm(Algorithm.WINOGRAD_F6, "Winograd F(6, 3)"),
    _property("integers not exact", "exact", exact=False),
    _WIDEST,
)
"""What may be given up, the least first."""

EDGES: Final = tuple(p for p in PROPERTIES if p.kind in ("repeatable", "subnormals", "bias", "nan"))
"""Those that leave the error of a usual sum as it was. The others loosen every bound by orders of magnitude, and let
much pass that nobody meant to allow: a promise for each path that gives up these only is the tighter one, and of the
others no two are given up at once."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A profile, and what it gives up of another."""

    profile: Profile
    given_up: tuple[Property, ...]

    @property
    def words(self) -> str:
        """What is given up; empty if nothing is."""
        return ", ".join(p.words for p in self.given_up)


def promises(
    base: Profile, dtype: str, quantity: Quantity, properties: Sequence[Property] = PROPERTIES
) -> Iterator[Promise]:
    """The lattice below a profile, the tightest promise first, which is the profile itself."""
    changed = [(p, p.given_up(base, dtype)) for p in properties if dtype in p.dtypes and quantity in p.quantities]
    possible = [p for p, profile in changed if not profile.promises_as(base)]
    yield Promise(base, ())
    for widest, count in product((False, True), range(1, MOST_PROPERTIES + 1)):
        for chosen in combinations(possible, count):
            if len({p.kind for p in chosen}) < count or sum(p not in EDGES for p in chosen) > 1:
                continue
            if (_WIDEST in chosen) is not widest:
                continue
            profile = base
            for each in chosen:
                profile = each.given_up(profile, dtype)
            yield Promise(profile, chosen)
