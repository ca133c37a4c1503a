"""What the reference says about one set of values: each quantity with its gauge, computed when asked for.

The gauge S = Σ|a||b| (+ |bias|) of an element is the same convolution on absolute values: it bounds every
partial sum, so it decides which integers are exact, which results may overflow and how large a legal
rounding error can be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.model.case import Case
from convcheck.model.profiles import Algorithm, Profile, Quantity
from convcheck.numerics import gauges
from convcheck.numerics.bounds import (
    accumulation_error,
    error_bound,
    gamma,
    is_meaningful,
    overflow_possible,
    worst_accumulation_error,
)
from convcheck.numerics.limits import integer_limit
from convcheck.numerics.reduction_length import copies
from convcheck.oracles.support.sums import Sum, Sums
from convcheck.oracles.support.transforms import TransformErrors
from convcheck.tensors.values import Values
from convcheck_reference.formats import DTYPES, FLOAT64, Format, component_format
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]

_HALF = 0.5
_TRANSFORMED = 2.0**10
"""How much larger than Σ|a||b| numbers may be on the way of an algorithm that nobody names, as in F(6, 3)."""


class Expected:
    """The reference's results for `values` in the layer of `case`."""

    def __init__(self, case: Case, values: Values) -> None:
        self._case = case
        self._params: Conv2dParams = case.params
        self._sums = Sums(case, values)
        self._bias = self._sums.bias
        self._transforms = TransformErrors(case, self._sums.x, self._sums.weight, self._sums.grad)

    def sum(self, quantity: Quantity) -> Sum:
        """The reference's result for one quantity."""
        return self._sums.of(quantity)

    def exact(self, quantity: Quantity, profile: Profile) -> NDArray[np.bool_]:
        """Where the integers' sums are exact in the promised accumulator: S ≤ limit, of operands that it keeps.

        They are finite in the dtype as well, with and without the bias.
        """
        found = self.sum(quantity)
        if profile.input_precision is not None and max(found.operands) > 2**profile.input_precision:
            return np.zeros(found.value.shape, np.bool_)
        limit, largest = integer_limit(profile, self._case.dtype), component_format(self._case.dtype).largest
        exact = self._below(found, limit)
        if min(limit, found.ceiling) > largest:
            exact &= np.abs(found.value) + found.addend <= largest
        if quantity == "grad_input" and self.folds:
            # pixels that the padding copies sum gradients which were rounded to the dtype before
            precision = component_format(self._case.dtype).precision
            exact &= (self._copies == 1) | self._below(found, 2**precision)
        return exact

    @staticmethod
    def _below(found: Sum, limit: float) -> NDArray[np.bool_]:
        if found.ceiling <= limit:
            return np.ones(found.value.shape, np.bool_)
        return found.gauge <= limit

    def is_direct(self, quantity: Quantity, profile: Profile) -> bool:
        """Whether the promised computation sums products as they are, without transforms."""
        return gauges.in_use(profile, quantity, self._params) is Algorithm.DIRECT

    def integers(self, quantity: Quantity, profile: Profile) -> Array:
        """What exact integers come to before the last rounding to the dtype.

        That is the right result; but where the bias is added after rounding, rounding(sum) + bias.
        """
        value = self.sum(quantity).value
        before = self.before_bias(quantity, profile)
        if before is None or self._bias is None:
            return value
        with np.errstate(over="ignore"):  # where it is not finite, it is not judged
            rounded = before.astype(DTYPES[self._case.dtype]).astype(value.dtype)
        return np.asarray(rounded + self._bias[:, None, None])

    def integers_between(self, quantity: Quantity, profile: Profile) -> tuple[Array, Array]:
        """Between which numbers sums of integers lie before the last rounding to the dtype, where they are not exact.

        They are off by at most what rounding may come to, which is far less than one product that is missing or wrong.
        """
        off = self._error_of_integers(quantity, replace(profile, rounds_before_bias=False), FLOAT64)
        value, before = self.sum(quantity).value, self.before_bias(quantity, profile)
        low, high = value - off, value + off
        if before is None or self._bias is None:
            return low, high
        dtype, bias = DTYPES[self._case.dtype], self._bias[:, None, None]
        with np.errstate(over="ignore"):  # as above
            twice = [np.asarray(side.astype(dtype).astype(np.float64) + bias) for side in (before - off, before + off)]
        return np.minimum(low, twice[0]), np.maximum(high, twice[1])

    def _error_of_integers(self, quantity: Quantity, profile: Profile, result: Format) -> NDArray[np.float64]:
        """The largest error of sums that are rounded to `result`, and folded where the padding copies pixels.

        Operands are rounded, too, where they are transformed in fewer bits.
        """
        found = self.direct_bound(quantity, profile, self._accumulation, result)
        found = np.where(np.isfinite(found), found, np.inf)  # sums that are too long for a bound, of nothing but zeros
        if quantity == "grad_input" and self.folds:
            found = found + self._folding_error(self.sum(quantity), found)
        return found

    def integer_tolerance(self, quantity: Quantity, profile: Profile) -> NDArray[np.float64]:
        """How far a result of integers may be from the right one: 0, 1/2 (excluded), or infinitely.

        Where integers are promised not to be exact, as far as rounding may take them.
        Transforms that divide by other numbers than powers of two leave an error; where it is below 1/2,
        the nearest integer is the result.
        """
        exact = self.exact(quantity, profile)
        if self.is_direct(quantity, profile):
            if profile.exact:
                return np.where(exact, 0.0, np.inf)
            off = self._error_of_integers(quantity, profile, component_format(self._case.dtype))
            return np.where(exact, off, np.inf)
        law = self._transforms.law(quantity, profile)
        if law is None:
            return np.full(exact.shape, np.inf)
        if law.denominator is not None:
            found, largest = self.sum(quantity), self._transforms.largest(quantity, profile, law)
            largest = law.denominator * (largest + found.addend)
            return np.where(exact & (largest <= 2.0**profile.accumulator.precision), 0.0, np.inf)
        bound = self._bound(quantity, profile, self._transforms.errors_by_size)
        if bound is not None and not (bound < _HALF).all():
            bound = self.bound(quantity, profile)
        below = np.zeros(exact.shape, np.bool_) if bound is None else bound < _HALF
        return np.where(below, np.nextafter(_HALF, 0.0), np.inf)

    def unbounded(self, quantity: Quantity, profile: Profile) -> str:
        """Why there is no bound for a quantity; empty if there is one."""
        terms = self.sum(quantity).terms
        if not is_meaningful(profile, terms):
            return f"sums of {terms} products under profile {profile.name}: n·u > 0.1 leaves no bound"
        if self.is_direct(quantity, profile) or self._transforms.law(quantity, profile):
            return ""
        return f"no bound is derived for {quantity} in {self._case.dtype} under profile {profile.name}"

    def bound(self, quantity: Quantity, profile: Profile) -> NDArray[np.float64] | None:
        """The largest legal error; infinite where overflow is possible, None where there is no bound."""
        return self._bound(quantity, profile, self._transforms.errors)

    def _bound(
        self, quantity: Quantity, profile: Profile, of_transforms: Callable[..., tuple[Array, Array]]
    ) -> NDArray[np.float64] | None:
        if self.unbounded(quantity, profile):
            return None
        found = self.sum(quantity)
        result = component_format(self._case.dtype)
        bound = self.direct_bound(quantity, profile, self._accumulation)
        overflows = overflow_possible(profile, result, found.terms, found.ceiling)
        if overflows:
            overflows = overflow_possible(profile, result, found.terms, found.gauge)
        if not profile.exact:
            overflows = overflows | (found.gauge * _TRANSFORMED > profile.accumulator.largest)
        if not self.is_direct(quantity, profile):
            error, largest = of_transforms(quantity, profile, found.terms, found.operands)
            bound = bound + error
            overflows = overflows | ~(2.0 * largest <= profile.accumulator.largest)
        if quantity == "grad_input" and self.folds:
            bound = bound + self._folding_error(found, bound)
        return np.where(overflows, np.inf, bound) if overflows.any() else bound

    def direct_bound(
        self,
        quantity: Quantity,
        profile: Profile,
        accumulation: Callable[[Profile, int], float],
        result: Format | None = None,
    ) -> NDArray[np.float64]:
        """The largest legal error of sums that are formed directly, with T of `convcheck.numerics.bounds`.

        They are rounded to `result`, by default the format of the dtype.
        """
        found = self.sum(quantity)
        return error_bound(
            profile,
            result or component_format(self._case.dtype),
            found.terms,
            found.gauge,
            found.value,
            operands=found.operands,
            before_bias=self.before_bias(quantity, profile),
            complex_products=found.value.dtype.kind == "c",
            accumulation=accumulation,
        )

    def before_bias(self, quantity: Quantity, profile: Profile) -> Array | None:
        """The sum to which the bias is added, where it is rounded to the dtype before that; else None."""
        if not profile.rounds_before_bias or quantity != "output" or self._bias is None:
            return None
        return np.asarray(self.sum(quantity).value - self._bias[:, None, None])

    @property
    def _accumulation(self) -> Callable[[Profile, int], float]:
        # equal values make equal products
        return worst_accumulation_error if self._case.repeats else accumulation_error

    def _folding_error(self, found: Sum, bound: NDArray[np.float64]) -> Array:
        """Error of adding the gradients of a pixel's copies in the dtype of the result.

        Padding is a step of its own (`torch.nn.functional.pad`): its gradient takes the rounded gradient
        of the padded input and adds up to m copies: γ_m·(S + B), and a rounding of each summand.
        """
        u = component_format(self._case.dtype).unit_roundoff
        most = int(self._copies.max())
        copied = self._copies > 1
        subnormal = component_format(self._case.dtype).underflow_error * most
        return np.where(copied, gamma(most + 1, u) * (found.gauge + bound) + subnormal, 0.0)

    @cached_property
    def folds(self) -> bool:
        """Whether the padding copies pixels, whose gradients are folded back."""
        return self._params.padding_mode != "zeros" and any(map(any, self._params.padding))

    @cached_property
    def _copies(self) -> NDArray[np.intp]:
        return copies(self._params, *self._case.input_shape[-2:])
