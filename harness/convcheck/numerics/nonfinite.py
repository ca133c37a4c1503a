"""Which class a sum of products has when some factors are NaN or ±Inf: finite, NaN, +Inf or −Inf.

It follows from counting (IEEE 754-2019, sections 6 and 7): a NaN term, 0·Inf or infinities of both signs
give NaN, otherwise an infinite term gives its sign. The counts are the same sums on 0/1 masks, so that no
non-finite arithmetic is needed to form them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Classes = NDArray[np.int_]
Count: TypeAlias = Callable[[Array, Array], Array]
"""From masks (float64) of both factors to the number of products of each sum in which both are set."""

FINITE: Final = 0
NAN: Final = 1
PLUS: Final = 2
MINUS: Final = 3
WORDS: Final = ("a finite number", "NaN", "+Inf", "-Inf")


def classes(array: Array) -> Classes:
    """The class of every element."""
    wide = array.astype(np.float64)
    return np.select([np.isnan(wide), wide == np.inf, wide == -np.inf], [NAN, PLUS, MINUS], FINITE)


def summed(one: Classes, other: Classes) -> Classes:
    """The class of the sum of numbers of two classes."""
    return _of_terms(*((one == kind) | (other == kind) for kind in (NAN, PLUS, MINUS)))


def _of_terms(nan: NDArray[np.bool_], plus: NDArray[np.bool_], minus: NDArray[np.bool_]) -> Classes:
    """The class of a sum, from which kinds its terms are of."""
    return np.select([nan | (plus & minus), plus, minus], [NAN, PLUS, MINUS], FINITE)


def marked(value: Array, found: Classes) -> Array:
    """`value` with NaN and ±Inf where the classes say so."""
    return np.select([found == NAN, found == PLUS, found == MINUS], [np.nan, np.inf, -np.inf], value)


def classify(a: Array, b: Array, count: Count, shape: tuple[int, ...]) -> Classes:
    """The class of every Σ a·b, an array of `shape`. A sum of `a` alone is one with b = 1."""
    a, b = a.astype(np.float64), b.astype(np.float64)

    def counted(*masks: tuple[Array, Array]) -> Array:
        meeting = [(left, right) for left, right in masks if left.any() and right.any()]
        terms = [count(left.astype(np.float64), right.astype(np.float64)) for left, right in meeting]
        return np.asarray(sum(terms, np.zeros(shape))) > 0

    every_a, every_b = np.ones(a.shape, np.bool_), np.ones(b.shape, np.bool_)
    nan = counted((np.isnan(a), every_b), (every_a, np.isnan(b)), (np.isinf(a), b == 0), (a == 0, np.isinf(b)))
    plus = counted((a == np.inf, b > 0), (a == -np.inf, b < 0), (a > 0, b == np.inf), (a < 0, b == -np.inf))
    minus = counted((a == np.inf, b < 0), (a == -np.inf, b > 0), (a > 0, b == -np.inf), (a < 0, b == np.inf))
    return _of_terms(nan, plus, minus)
