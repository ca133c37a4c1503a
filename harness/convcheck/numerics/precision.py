"""Which precision a candidate computes in, told from the size of its errors.

An error bound passes whatever is more accurate than it, and a loose one much that is not promised. The
errors themselves say more. With t = |ŷ − y| / (u·√Σ(a·b)²), u = 2⁻²⁴, and zero-mean data:

- Operands rounded to nearest to p bits: each product gets two relative errors of root mean square
  0.425·2⁻ᵖ (uniform over the spacing, mantissas distributed logarithmically), so t is half-normal with a
  median of 0.675·0.601·2^(24−p), whatever n and the data.
- Truncated operands: both errors have the mean 0.721·2⁻ᵖ as well, which adds up to 1.443·2⁻ᵖ·y, and y is
  as large as √Σ(a·b)²: the median is 0.675·1.563·2^(24−p).
- Sums in p bits: each partial sum is rounded, and grows as √k, which gives 0.3·√n·2^(24−p) for one after
  the other, besides what the operands' rounding gives: t grows with n.
- float32 sums keep t below 0.3·√n, less with blocked sums.
- Transforms (Winograd, FFT) have errors that do not follow the products of one window. With magnitudes
  over 16 binades the 90th percentile of t is then many times its median; elsewhere it is 2.4 times (half-
  normal) to 3.2 times (n-dependent) that. Winograd does so for 3×3 layers only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.profiles import Algorithm, Profile, Quantity
from convcheck_reference.formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, FORMATS

Array = NDArray[np.float64]


class PrecisionClass(StrEnum):
    """What a candidate behaves like, as reports say it."""

    FLOAT64 = "float64"
    FLOAT32 = "float32"
    WINOGRAD_F2 = "winograd-f2"
    WINOGRAD_F4 = "winograd-f4"
    WINOGRAD_F6 = "winograd-f6"
    FFT = "fft"
    TF32 = "tf32 or float16 operands"
    TF32_TRUNCATED = "tf32 or float16 operands, truncated"
    FLOAT16_SUMS = "float16 sums"
    BFLOAT16 = "bfloat16 operands"
    BFLOAT16_TRUNCATED = "bfloat16 operands, truncated"
    BFLOAT16_SUMS = "bfloat16 sums"


_RANKS: Final = {
    PrecisionClass.FLOAT64: 0,
    PrecisionClass.FLOAT32: 1,
    PrecisionClass.WINOGRAD_F2: 2,
    PrecisionClass.WINOGRAD_F4: 2,
    PrecisionClass.WINOGRAD_F6: 2,
    PrecisionClass.FFT: 2,
    PrecisionClass.TF32: 3,
    PrecisionClass.TF32_TRUNCATED: 3,
    PrecisionClass.FLOAT16_SUMS: 4,
    PrecisionClass.BFLOAT16: 5,
    PrecisionClass.BFLOAT16_TRUNCATED: 5,
    PrecisionClass.BFLOAT16_SUMS: 6,
}
"""The larger, the coarser."""

_MEDIAN: Final = 0.6745
"""Of |N(0, 1)|."""
_NEAREST: Final = 0.601 * _MEDIAN
_TRUNCATED: Final = 1.563 * _MEDIAN
_SUMS: Final = 0.3

LEAST_VALUES: Final = 150
"""A median of so many values is within 15 % of the true one at four standard errors; classes lie 2.6 apart."""
LEAST_CASES: Final = 4
MOST_VALUES: Final = 64
"""Values that one case contributes."""

_FEW: Final = 16
_MANY: Final = 64
_FOLLOWS_WINDOWS: Final = 5.0
"""Between 3.2, the largest 90th percentile over median of direct sums, and 7 and more of transforms."""
_GROWS: Final = 0.15
"""Between 0, the exponent of n for rounded operands, and 0.3 or more for rounded sums."""
COARSE: Final = 256.0
"""Between the 20 of float32 sums of 4608 products, or of F(6, 3), and the 3,300 of TF32 operands."""


@dataclass(frozen=True, slots=True)
class Ratios:
    """The t of some elements of one case.

    Attributes:
        dtype: of the case.
        quantity: output, grad_input or grad_weight.
        terms: n.
        regime: "reals" or "wide".
        tiled: whether Winograd's 3×3 tiles suit the layer.
        values: t, with u of the dtype; for 16-bit dtypes without the rounding of the result.
        beyond: whether an error is larger than every promise allows.
    """

    dtype: str
    quantity: Quantity
    terms: int
    regime: str
    tiled: bool
    values: tuple[float, ...]
    beyond: bool = False


def ratios(error: Array, result: Array, norm: Array, dtype: str) -> tuple[float, ...]:
    """The t of up to `MOST_VALUES` elements.

    Args:
        error: |ŷ − y|.
        result: ŷ.
        norm: √Σ(a·b)², the 2-norm of each element's products.
        dtype: of the result.
    """
    u = FORMATS[dtype].unit_roundoff
    if dtype in ("float16", "bfloat16"):
        with np.errstate(invalid="ignore"):  # an infinite result is not looked at
            error = np.maximum(error - u * np.abs(result), 0.0)
    at = np.flatnonzero((norm.reshape(-1) > 0) & np.isfinite(error.reshape(-1)))
    at = at[np.linspace(0, len(at) - 1, min(len(at), MOST_VALUES)).astype(int)] if len(at) else at
    return tuple(float(t) for t in error.reshape(-1)[at] / (u * norm.reshape(-1)[at]))


def classify(observed: Sequence[Ratios]) -> PrecisionClass | None:
    """What a candidate behaves like in one quantity of one dtype; None where there is too little to tell.

    Nor is there anything to tell where an error is beyond every bound: it is no rounding error of any arithmetic.
    """
    if not observed or any(r.beyond for r in observed) or not _enough(_of(observed, "reals")):
        return None
    dtype = observed[0].dtype
    if dtype in ("float16", "bfloat16"):
        return _classify_sums(observed, dtype)
    # in units of float32's roundoff
    scale = FORMATS[dtype].unit_roundoff / FLOAT32.unit_roundoff
    level = _median(_of(observed, "reals")) * scale
    if dtype == "float64" and level * FLOAT32.unit_roundoff < COARSE**2 * FLOAT64.unit_roundoff:
        return PrecisionClass.FLOAT64
    if level >= COARSE:
        return _classify_coarse(observed, scale)
    return _classify_transforms(observed, scale)


def drift(profile: Profile, observed: PrecisionClass | None) -> str:
    """How a candidate behaves that is coarser than it declared, in words; empty if it is not."""
    if observed is None or _RANKS[observed] <= _promised(profile):
        return ""
    return f"declared {profile.name}, behaves like {observed}"


def _classify_sums(observed: Sequence[Ratios], dtype: str) -> PrecisionClass | None:
    """A result that is off by more than its own rounding was summed in its dtype: by 0.3·√n·u or more."""
    long = [r for r in _of(observed, "reals") if r.terms >= _MANY]
    if not _enough(long):
        return None
    if float(np.quantile(_values(long), 0.9)) < _SUMS:
        return PrecisionClass.FLOAT32
    return PrecisionClass.FLOAT16_SUMS if dtype == "float16" else PrecisionClass.BFLOAT16_SUMS


def _classify_coarse(observed: Sequence[Ratios], scale: float) -> PrecisionClass | None:
    short = [r for r in _of(observed, "reals") if r.terms <= _FEW]
    long = [r for r in _of(observed, "reals") if r.terms >= _MANY]
    if not _enough(short) or not _enough(long):
        return None
    lengths = [float(np.median([r.terms for r in group])) for group in (short, long)]
    growth = math.log(_median(long) / _median(short)) / math.log(lengths[1] / lengths[0])
    if growth > _GROWS:
        predicted = {
            cls: _MEDIAN * math.hypot(_NEAREST / _MEDIAN, _SUMS * math.sqrt(lengths[0])) * _units(bits)
            for cls, bits in (
                (PrecisionClass.FLOAT16_SUMS, FLOAT16.precision),
                (PrecisionClass.BFLOAT16_SUMS, BFLOAT16.precision),
            )
        }
        return _nearest(predicted, _median(short) * scale)
    predicted = {
        PrecisionClass.TF32: _NEAREST * _units(FLOAT16.precision),
        PrecisionClass.TF32_TRUNCATED: _TRUNCATED * _units(FLOAT16.precision),
        PrecisionClass.BFLOAT16: _NEAREST * _units(BFLOAT16.precision),
        PrecisionClass.BFLOAT16_TRUNCATED: _TRUNCATED * _units(BFLOAT16.precision),
    }
    return _nearest(predicted, _median([*short, *long]) * scale)


def _classify_transforms(observed: Sequence[Ratios], scale: float) -> PrecisionClass:
    short = [r for r in observed if r.terms <= _MANY + 8]
    spread = {tiled: _spread(_of((r for r in short if r.tiled is tiled), "wide")) for tiled in (True, False)}
    if spread[False] > _FOLLOWS_WINDOWS:
        return PrecisionClass.FFT
    tiled = [r for r in _of(short, "reals") if r.tiled]
    if spread[True] <= _FOLLOWS_WINDOWS or not _enough(tiled):
        return PrecisionClass.FLOAT32
    return _nearest(_TILES, _median(tiled) * scale)


_TILES: Final = {
    PrecisionClass.WINOGRAD_F2: 1.4,
    PrecisionClass.WINOGRAD_F4: 4.2,
    PrecisionClass.WINOGRAD_F6: 9.8,
}
"""Medians of t measured with the transforms of `toom_cook` and up to 8 channels; names only, no verdict."""


def _promised(profile: Profile) -> int:
    """The rank of what a profile promises."""
    bits = profile.accumulator.precision
    if bits <= BFLOAT16.precision:
        return _RANKS[PrecisionClass.BFLOAT16_SUMS]
    if profile.input_rounding > 2.0**-9:
        return _RANKS[PrecisionClass.BFLOAT16]
    if bits <= FLOAT16.precision:
        return _RANKS[PrecisionClass.FLOAT16_SUMS]
    if profile.input_rounding > 0:
        return _RANKS[PrecisionClass.TF32]
    if profile.algorithm is not Algorithm.DIRECT:
        return _RANKS[PrecisionClass.FFT]
    return _RANKS[PrecisionClass.FLOAT64 if bits > FLOAT32.precision else PrecisionClass.FLOAT32]


def _units(bits: int) -> float:
    """2^(24 − p): the roundoff of p bits in units of float32's."""
    return 2.0 ** (FLOAT32.precision - bits)


def _of(observed: Iterable[Ratios], regime: str) -> list[Ratios]:
    return [r for r in observed if r.regime == regime]


def _values(observed: Sequence[Ratios]) -> Array:
    return np.array([t for r in observed for t in r.values])


def _enough(observed: Sequence[Ratios]) -> bool:
    return len(observed) >= LEAST_CASES and sum(len(r.values) for r in observed) >= LEAST_VALUES


def _median(observed: Sequence[Ratios]) -> float:
    return float(np.median(_values(observed)))


def _spread(observed: Sequence[Ratios]) -> float:
    """The 90th percentile over the median; 0 where there is too little to tell."""
    if not _enough(observed):
        return 0.0
    middle, high = np.quantile(_values(observed), (0.5, 0.9))
    return float(high / middle) if middle > 0 else 0.0


def _nearest(predicted: dict[PrecisionClass, float], level: float) -> PrecisionClass:
    return min(predicted, key=lambda cls: abs(math.log(predicted[cls] / level)))
