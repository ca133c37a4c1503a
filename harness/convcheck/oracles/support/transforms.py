"""How far results may be off, and how large numbers become, on the way through the transforms of a fast algorithm."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.model.case import Case
from convcheck.model.profiles import Algorithm, Profile, Quantity
from convcheck.numerics import gauges
from convcheck.numerics.bounds import accumulation_error, underflow, worst_accumulation_error
from convcheck.numerics.gauges import Law
from convcheck.numerics.winograd_error import Levels, usual_error, winograd_levels, worst_error
from convcheck_reference.formats import component_format

Array = NDArray[Any]


class TransformErrors:
    """Those of the layer of `case` on operands in float64: x, weight and the gradient of the output."""

    def __init__(self, case: Case, x: Array, weight: Array, grad: Array) -> None:
        self._case = case
        self._operands = x, weight, grad
        self._levels: dict[tuple[Quantity, int], Levels] = {}

    def law(self, quantity: Quantity, profile: Profile) -> Law | None:
        """The law of a quantity; None for complex numbers, for which there is none."""
        if self._operands[0].dtype.kind == "c":
            return None
        # equal values make equal products
        accumulation = worst_accumulation_error if self._case.repeats else accumulation_error
        return gauges.law(profile, quantity, self._case.params, self._case.input_shape, accumulation)

    def largest(self, quantity: Quantity, profile: Profile, law: Law) -> Array:
        """The most that numbers on the way sum up to in magnitude, shaped as the quantity."""
        algorithm = gauges.in_use(profile, quantity, self._case.params)
        magnitudes = (magnitude(a) for a in self._operands)
        return law.growth * gauges.gauge(algorithm, quantity, self._case.params, *magnitudes)

    def errors(
        self, quantity: Quantity, profile: Profile, terms: int, operands: tuple[float, float]
    ) -> tuple[Array, Array]:
        """What the transforms add to the error of a result, and the largest number on the way.

        Args:
            quantity: of the result.
            profile: with a fast algorithm.
            terms: products of an element.
            operands: the largest magnitudes of their factors.
        """
        if gauges.in_use(profile, quantity, self._case.params) is Algorithm.FFT:
            return self.errors_by_size(quantity, profile, terms, operands)
        law, result = self._known(quantity, profile), component_format(self._case.dtype)
        largest = self.largest(quantity, profile, law)
        error = self._of_winograd(quantity, profile, law.roundings, largest)
        return error * (1.0 + result.unit_roundoff) + self._lost(profile, law, terms, operands), largest

    def errors_by_size(
        self, quantity: Quantity, profile: Profile, terms: int, operands: tuple[float, float]
    ) -> tuple[Array, Array]:
        """As `errors`, but told from the largest operands alone: that costs less, and bounds more."""
        law, result = self._known(quantity, profile), component_format(self._case.dtype)
        largest = self.largest(quantity, profile, law)
        error = law.error / law.growth * largest
        return error * (1.0 + result.unit_roundoff) + self._lost(profile, law, terms, operands), largest

    def _known(self, quantity: Quantity, profile: Profile) -> Law:
        law = self.law(quantity, profile)
        assert law is not None
        return law

    def _lost(self, profile: Profile, law: Law, terms: int, operands: tuple[float, float]) -> float:
        """What underflows on the way."""
        lost = underflow(profile, component_format(self._case.dtype), terms, operands)
        return lost * law.growth * (1.0 + sum(operands))

    def _of_winograd(self, quantity: Quantity, profile: Profile, roundings: int, largest: Array) -> Array:
        u = profile.accumulator.unit_roundoff
        # equal values make equal products
        error = worst_error if profile.truncating or self._case.repeats else usual_error
        tiles = gauges.tiles_of(gauges.in_use(profile, quantity, self._case.params))
        found = (
            error(self._levels_of(quantity, tile), 2.0 * u if profile.truncating else u, roundings, largest)
            for tile in tiles
        )
        return reduce(np.maximum, found)

    def _levels_of(self, quantity: Quantity, tile: int) -> Levels:
        if (quantity, tile) not in self._levels:
            self._levels[quantity, tile] = winograd_levels(tile, quantity, self._case.params, *self._operands)
        return self._levels[quantity, tile]


def magnitude(array: Array) -> NDArray[np.float64]:
    """|a|; |re a| + |im a| for complex values, which bounds the modulus and every component."""
    if array.dtype.kind == "c":
        return np.asarray(np.abs(array.real) + np.abs(array.imag), np.float64)
    return np.asarray(np.abs(array), np.float64)


def largest_magnitude(array: Array) -> float:
    """The largest `magnitude` of an array, 0 of an empty one."""
    if array.dtype.kind == "c":
        return float(magnitude(array).max(initial=0.0))
    return float(np.maximum(array.max(initial=0), -array.min(initial=0)))
