"""Comparisons in which NaN fails, and what they say about a wrong result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.model.verdicts import Evidence, Status
from convcheck.oracles.support.localization import locate
from convcheck.tensors.poison import is_poison

Array = NDArray[Any]

_TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcome of comparing one array.

    Attributes:
        status: pass, fail, or unwritten output where every wrong element holds the poison.
        judged: number of elements that were compared.
        margin: the largest |got − expected| / bound; None for exact comparisons.
        evidence: of a failure.
    """

    status: Status
    judged: int
    margin: float | None = None
    evidence: Evidence | None = None


def compare_exact(got: Array, expected: Array, judged: NDArray[np.bool_], quantity: str = "output") -> Comparison:
    """Bit for bit on integers: `got` equals `expected` rounded to its dtype, wherever `judged`.

    −0 equals 0; NaN equals nothing.
    """
    # a wrong result may be infinite, and what a relation predicts from it as well
    with np.errstate(invalid="ignore", over="ignore"):
        rounded = expected.astype(got.dtype)
        right = got == rounded
        if right.all():
            return Comparison(Status.PASS, int(np.count_nonzero(judged)))
        wrong = judged & ~right
        if not wrong.any():
            return Comparison(Status.PASS, int(np.count_nonzero(judged)))
        worst = worst_of(wrong, np.abs(got.astype(expected.dtype) - expected))
    evidence = evidence_at(worst, _number(rounded[worst]), got, wrong, judged, quantity)
    return Comparison(_status(got, wrong), int(judged.sum()), evidence=evidence)


def compare_between(
    got: Array, low: Array, high: Array, judged: NDArray[np.bool_], quantity: str = "output"
) -> Comparison:
    """A rounding of some number between `low` and `high`, elementwise, wherever `judged`; NaN fails."""
    with np.errstate(invalid="ignore", over="ignore"):
        least, most = low.astype(got.dtype), high.astype(got.dtype)
        wrong = judged & ~((got >= least) & (got <= most))
        if not wrong.any():
            return Comparison(Status.PASS, int(np.count_nonzero(judged)))
        wide = got.astype(np.float64)
        worst = worst_of(wrong, np.maximum(wide - most.astype(np.float64), least.astype(np.float64) - wide))
    due = f"{_number(least[worst])} to {_number(most[worst])}"
    return Comparison(
        _status(got, wrong), int(judged.sum()), evidence=evidence_at(worst, due, got, wrong, judged, quantity)
    )


def compare_bounded(got: Array, expected: Array, bound: NDArray[np.float64], quantity: str = "output") -> Comparison:
    """Within the bound, elementwise; elements whose bound is infinite are not judged.

    A bound of 0 asks for the exact value. NaN fails.
    """
    # numpy warns about inf − finite only through errstate; both count as wrong below
    with np.errstate(invalid="ignore", over="ignore"):
        error = _error(got.astype(expected.dtype), expected)
        if bound.size and bound.min() > 0 and bound.max() < np.inf and (error <= bound).all():
            return Comparison(Status.PASS, bound.size, float((error / bound).max()))
        judged = np.isfinite(bound)
        wrong = judged & ~(error <= bound)
        ratio = np.divide(error, np.where(bound > 0, bound, _TINY), np.zeros(bound.shape), where=judged & (error != 0))
    margin = float(np.max(ratio, initial=0.0))
    if not wrong.any():
        return Comparison(Status.PASS, int(np.count_nonzero(judged)), margin)
    margin = np.inf if np.isnan(margin) else margin
    worst = worst_of(wrong, ratio)
    due = f"{_number(expected[worst])} ± {bound[worst]:.3g}"
    evidence = evidence_at(worst, due, got, wrong, judged, quantity)
    return Comparison(_status(got, wrong), int(judged.sum()), margin, evidence)


def evidence_at(
    at: tuple[int, ...], due: str, got: Array, wrong: NDArray[np.bool_], judged: NDArray[np.bool_], quantity: str
) -> Evidence:
    """What is shown of a wrong result: its worst element, what is due there, and where it is wrong."""
    return Evidence(
        at,
        expected=due,
        got=_number(got[at]),
        wrong=int(wrong.sum()),
        total=int(judged.sum()),
        location=locate(wrong, judged, quantity=quantity),
    )


def _error(got: Array, expected: Array) -> NDArray[np.float64]:
    difference = got - expected
    if difference.dtype.kind == "c":
        # each component is judged against the bound of the pair
        return np.asarray(np.maximum(np.abs(difference.real), np.abs(difference.imag)), np.float64)
    return np.asarray(np.abs(difference), np.float64)


def worst_of(wrong: NDArray[np.bool_], severity: Array) -> tuple[int, ...]:
    """The index of the largest severity among the wrong elements; NaN is the most severe."""
    ranked = np.where(wrong, np.where(np.isnan(severity), np.inf, np.abs(severity)), -1.0)
    return tuple(int(i) for i in np.unravel_index(int(ranked.argmax()), ranked.shape))


def _status(got: Array, wrong: NDArray[np.bool_]) -> Status:
    return Status.UNWRITTEN if is_poison(got)[wrong].all() else Status.FAIL


def _number(value: Any) -> str:
    """With as many digits as tell any two numbers of its format apart."""
    digits = 17 if np.asarray(value).real.dtype.itemsize == 8 else 9
    number = complex(value) if np.iscomplexobj(value) else float(value)
    return f"{number:.{digits}g}"
