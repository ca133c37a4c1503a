"""What the errors of all elements of one result may be together where operands are rounded.

The bound of one element is many times what usual errors come to then, so that coarser operands stay below it. What is
known of all errors together (see `convcheck.numerics.aggregate_error`):

- Rounding to nearest and truncation make −â of −a, so that the error of a product has the signs of both operands,
  times what hangs on the magnitudes alone: at most δa·(|b| + δb) + |a|·δb, δ of `convcheck.numerics.operand_rounding`.
  In data whose signs are drawn one by one, apart from all magnitudes, the errors are sums of independent random signs
  of one operand, given those of the other. Nothing is supposed of the roundings themselves.
- An element of an operand takes part in as many results as its own gradient has products. One that the padding copies
  has one sign for all its copies, so there the signs of the other operand are what counts.
- Sums are rounded as in the bound of one element: by independent roundings of mean zero, unless they are truncated.
- A bias is added and multiplied by nothing, so it is not rounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.case import Case, Regime
from convcheck.model.profiles import Profile, Quantity
from convcheck.numerics.aggregate_error import Aggregate, Part, aggregate
from convcheck.numerics.bounds import SECOND_ORDER, accumulation_error
from convcheck.numerics.operand_rounding import operand_errors
from convcheck.numerics.reduction_length import reduction_lengths
from convcheck.oracles.support.expected import Expected
from convcheck.oracles.support.transforms import magnitude
from convcheck.tensors.values import Values
from convcheck_reference.formats import component_format

Array = NDArray[Any]

RANDOM_SIGNS: Final[frozenset[Regime]] = frozenset({"reals", "wide", "large", "overflow"})
"""Regimes in which the sign of every value is drawn by itself, apart from its magnitude and from all others."""

_OPERANDS: Final[Mapping[Quantity, tuple[str, str]]] = MappingProxyType(
    {"output": ("x", "weight"), "grad_input": ("grad_output", "weight"), "grad_weight": ("grad_output", "x")}
)
_GRADIENT_OF: Final[Mapping[str, Quantity]] = MappingProxyType(
    {"x": "grad_input", "weight": "grad_weight", "grad_output": "output"}
)
"""The quantity whose number of products is how many results an element of an operand takes part in."""


def legal_aggregate(
    case: Case, values: Values, expected: Expected, quantity: Quantity, profile: Profile
) -> Aggregate | None:
    """The largest legal aggregate of the errors of one result; None where there is none that says more than a bound.

    Args:
        case: whose data these are.
        values: the real-valued data.
        expected: the reference on them.
        quantity: of the result.
        profile: the promise for it.
    """
    if not _applies(case, expected, quantity, profile):
        return None
    bound = expected.bound(quantity, profile)
    if bound is None:
        return None
    found = expected.sum(quantity)
    parts = [_of_operands(case, values, quantity, profile)]
    if not profile.truncating:
        u = profile.accumulator.unit_roundoff * _growth(profile)
        parts.append(Part((found.terms + 1) * (u * found.gauge) ** 2, 1.0))
    certain = _certain(case, expected, quantity, profile)
    return aggregate(parts, np.where(np.isfinite(bound), certain, np.inf))


def _applies(case: Case, expected: Expected, quantity: Quantity, profile: Profile) -> bool:
    if profile.input_rounding <= 0.0 or quantity not in _OPERANDS:
        return False
    if case.regime not in RANDOM_SIGNS or case.repeats or case.dtype.startswith("complex"):
        return False
    # gradients of copies are rounded before they are added up
    return expected.is_direct(quantity, profile) and not (quantity == "grad_input" and expected.folds)


def _growth(profile: Profile) -> float:
    """How much larger than Σ|a||b| the sum over rounded operands may be."""
    return (1.0 + profile.input_rounding) ** 2


def _certain(case: Case, expected: Expected, quantity: Quantity, profile: Profile) -> Array:
    """What each element may be off besides the rounding of operands and independent roundings of sums."""

    def accumulation(promise: Profile, n: int) -> float:
        # of independent roundings what `accumulation_error` has beyond the first order
        return (
            accumulation_error(promise, n) if profile.truncating else SECOND_ORDER * profile.accumulator.unit_roundoff
        )

    besides = expected.direct_bound(quantity, replace(profile, input_rounding=0.0), accumulation)
    growth, u_out = _growth(profile), component_format(case.dtype).unit_roundoff
    return np.asarray(growth * besides + (growth - 1.0) * u_out * expected.sum(quantity).gauge)


def _of_operands(case: Case, values: Values, quantity: Quantity, profile: Profile) -> Part:
    """The errors of rounded operands: Σ (δa·(|b| + δb) + |a|·δb)² of each element."""
    a, b = _OPERANDS[quantity]
    fmt = component_format(case.dtype)
    wide = {name: magnitude(getattr(values, name).astype(np.float64)) for name in (a, b)}
    of_a, of_b = (operand_errors(wide[name], profile, fmt) for name in (a, b))
    larger = wide[b] + of_b
    # the square of the sum, term by term
    pairs = ((of_a**2, larger**2), (2.0 * of_a * wide[a], of_b * larger), (wide[a] ** 2, of_b**2))
    squares = [
        Expected(case, replace(values, bias=None, **{a: left, b: right})).sum(quantity).value for left, right in pairs
    ]
    return Part(np.sum(squares, axis=0), _shared(case, quantity))


def _shared(case: Case, quantity: Quantity) -> float:
    """The most results that a random sign takes part in, of the operand where they are fewer."""
    counts = reduction_lengths(case.params, case.input_shape)
    copied = case.params.padding_mode != "zeros" and any(map(any, case.params.padding))
    names = [name for name in _OPERANDS[quantity] if not (copied and name == "x")]
    return float(min(counts[_GRADIENT_OF[name]] for name in names))
