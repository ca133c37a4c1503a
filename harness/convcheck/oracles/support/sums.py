"""What the reference computes on one set of values: each quantity as sums of products, with its gauge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.model.case import Case
from convcheck.model.profiles import Quantity
from convcheck.numerics.reduction_length import reduction_lengths
from convcheck.oracles.support.transforms import largest_magnitude, magnitude
from convcheck.tensors.values import Values
from convcheck_reference.params import Conv2dParams
from convcheck_reference.patches import Patches, grad_input

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Sum:
    """One quantity as the reference computes it in float64 (complex128), every element a sum of products.

    Attributes:
        value: the result.
        terms: n, the largest number of products of an element.
        operands: the largest magnitudes of the two factors.
        addend: the largest magnitude of what is added besides products (the bias).
        measure: computes the gauge, which costs as much as the value, so only when asked for.
    """

    value: Array
    terms: int
    operands: tuple[float, float]
    addend: float
    measure: Callable[[], NDArray[np.float64]]

    @cached_property
    def gauge(self) -> NDArray[np.float64]:
        """S, of the shape of the value."""
        return self.measure()

    @property
    def ceiling(self) -> float:
        """What no element of the gauge exceeds: n·max|a|·max|b| + max|bias|."""
        return self.terms * self.operands[0] * self.operands[1] + self.addend

    def stays_below(self, limit: float) -> bool:
        """Whether no element of the gauge exceeds `limit`."""
        return self.ceiling <= limit or bool(self.gauge.max(initial=0.0) <= limit)


class Sums:
    """Those of `values` in the layer of `case`, each computed when it is asked for.

    Attributes:
        x: the input in float64, complex128 for complex numbers, as are the others.
        weight: the weight.
        bias: the bias, or None.
        grad: the gradient of the output.
    """

    def __init__(self, case: Case, values: Values) -> None:
        self._case = case
        self._params: Conv2dParams = case.params
        wide = np.complex128 if values.x.dtype.kind == "c" else np.float64
        self.x = values.x.astype(wide)
        self.weight = values.weight.astype(wide)
        self.bias = None if values.bias is None else values.bias.astype(wide)
        self.grad = values.grad_output.astype(wide)

    def of(self, quantity: Quantity) -> Sum:
        """The reference's result for one quantity."""
        if quantity == "output":
            return self._output
        if quantity == "grad_input":
            return self._grad_input
        return self._grad_weight if quantity == "grad_weight" else self._grad_bias

    @cached_property
    def _patches(self) -> Patches:
        return Patches(self.x, self._params)

    @cached_property
    def _absolute_patches(self) -> Patches:
        return Patches(magnitude(self.x), self._params)

    @cached_property
    def _most_x(self) -> float:
        return largest_magnitude(self.x)

    @cached_property
    def _most_weight(self) -> float:
        return largest_magnitude(self.weight)

    @cached_property
    def _most_grad(self) -> float:
        return largest_magnitude(self.grad)

    @cached_property
    def _terms(self) -> Any:
        return reduction_lengths(self._params, self._case.input_shape)

    @cached_property
    def _output(self) -> Sum:
        bias = self.bias

        def computed(weight: Array, patches: Patches, addend: Array | None) -> Array:
            out = patches.output(weight).reshape(self._case.output_shape)
            return out if addend is None else out + addend[:, None, None]

        return Sum(
            computed(self.weight, self._patches, bias),
            self._terms["output"],
            (self._most_x, self._most_weight),
            0.0 if bias is None else largest_magnitude(bias),
            lambda: computed(magnitude(self.weight), self._absolute_patches, None if bias is None else magnitude(bias)),
        )

    @cached_property
    def _grad_input(self) -> Sum:
        return Sum(
            self._transposed(self.weight, self.grad),
            self._terms["grad_input"],
            (self._most_grad, self._most_weight),
            0.0,
            lambda: self._transposed(magnitude(self.weight), magnitude(self.grad)),
        )

    @cached_property
    def _grad_weight(self) -> Sum:
        return Sum(
            self._patches.grad_weight(self.grad),
            self._terms["grad_weight"],
            (self._most_grad, self._most_x),
            0.0,
            lambda: self._absolute_patches.grad_weight(magnitude(self.grad)),
        )

    @cached_property
    def _grad_bias(self) -> Sum:
        axes = (0, 2, 3) if self.grad.ndim == 4 else (1, 2)
        return Sum(
            self.grad.sum(axis=axes),
            self._terms["grad_bias"],
            (self._most_grad, 1.0),
            0.0,
            lambda: magnitude(self.grad).sum(axis=axes),
        )

    def _transposed(self, weight: Array, grad: Array) -> Array:
        return grad_input(weight, grad, self._params, self._case.input_shape)
