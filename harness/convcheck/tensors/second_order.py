"""Values for the second order: a layer's tensors, and the weights with which its gradients are differentiated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.model.case import Case
from convcheck.model.profiles import Profile, Quantity
from convcheck.numerics.limits import within_dtype
from convcheck.tensors.values import Values, integer_values, real_values

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class SecondOrder:
    """The tensors of a double backward.

    Attributes:
        layer: x, weight, bias and grad_output.
        grad_grad_input: shaped as x.
        grad_grad_weight: shaped as weight.
        grad_grad_bias: (O,), or None for a layer without bias.
    """

    layer: Values
    grad_grad_input: Array
    grad_grad_weight: Array
    grad_grad_bias: Array | None


def second_order_integers(case: Case, profiles: Mapping[Quantity, Profile]) -> SecondOrder:
    """Integers whose double backward is exact in the accumulators and in the dtype, in which its parts are added.

    Half of a second draw has half its magnitude, so the two convolutions of grad_grad_output together
    stay within the limit that `integer_values` keeps for one.
    """
    narrow = {quantity: within_dtype(profile, case.dtype) for quantity, profile in profiles.items()}
    layer, other = integer_values(case, narrow), integer_values(_redrawn(case), narrow)
    bias = None if other.bias is None else _halved(other.bias)
    return SecondOrder(layer, _halved(other.x), _halved(other.weight), bias)


def second_order_reals(case: Case) -> SecondOrder:
    """Zero-mean values of scale 1, whatever the case's regime: its extremes would overflow in products of three."""
    moderate = replace(case, regime="reals")
    layer, other = real_values(moderate), real_values(_redrawn(moderate))
    return SecondOrder(layer, other.x, other.weight, other.bias)


def _redrawn(case: Case) -> Case:
    return replace(case, seed=case.seed + 1)


def _halved(array: Array) -> Array:
    wide = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64) / 2
    whole = np.trunc(wide.real) + 1j * np.trunc(wide.imag) if wide.dtype.kind == "c" else np.trunc(wide)
    return np.asarray(whole).astype(array.dtype)
