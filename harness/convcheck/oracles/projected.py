"""Projected integers: every channel of a large layer at once, at the price of one.

Convolution is linear in its filters. With random integers r_o, the sum Σ r_o·output_o over the output channels is what
the one filter Σ r_o·weight_o gives; the same holds of weight gradients with Σ r_o·grad_output_o, and over the input
channels of input gradients. On exact integers both sides are equal, and a wrong element shows with a probability of at
least 1 − 1/R, for R values of r that are all as likely (after Freivalds, "Probabilistic machines can use less running
time", 1977). Slices of large layers (`convcheck.oracles.support.slices`) judge a few channels by all bounds; this sees
the rest of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.profiles import Algorithm, Quantity
from convcheck.model.verdicts import Evidence, Status, Verdict
from convcheck.model.work import is_large
from convcheck.numerics import gauges
from convcheck.numerics.limits import integer_limit
from convcheck.numerics.reduction_length import reduction_lengths
from convcheck.oracles.oracle import RESULT, AtScale, Oracle
from convcheck.oracles.support.exercised import exercised
from convcheck.oracles.support.transforms import largest_magnitude
from convcheck.oracles.support.trial import INTEGERS, Trial
from convcheck_reference.convolution import conv2d, conv2d_grad_input, conv2d_grad_weight
from convcheck_reference.formats import FLOAT64, component_format
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]

NAME = "projected"
CLAUSE = "C2D-ARITH-1"

_FACTORS: Final = 1 << 16
"""R at most: so many values may a factor have."""

_LEAST_FACTORS: Final = 16
"""R below which a projection tells too little."""

_MOST_COLUMNS: Final = 1 << 26
"""Elements of the pixels under all taps that are summed over for a projection; beyond, nothing is projected."""

_AT_ONCE: Final = 1 << 18
"""Elements that are made float64 at once: what a cache holds."""

_PROJECTED: Final[tuple[Quantity, ...]] = ("output", "grad_input", "grad_weight")


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge output, input gradient and weight gradient of a large layer's exact regime (clause C2D-ARITH-1)."""
    case = trial.case
    if not is_large(case) or case.dtype.startswith("complex"):
        return
    pixels = case.output_shape[-2] * case.output_shape[-1]
    if case.batch * pixels * case.params.fan_in * case.params.groups > _MOST_COLUMNS:
        return
    for quantity in _PROJECTED:
        got = trial.returned(INTEGERS, quantity)
        most = 0 if got is None else _most(trial, quantity)
        if got is not None and most >= _LEAST_FACTORS:
            yield _judge(trial, quantity, got, most)


def _most(trial: Trial, quantity: Quantity) -> int:
    """R, so that float64 holds the projections; 0 if some element may be rounded."""
    case, values = trial.case, trial.integers
    profile = trial.capabilities.promised(case, quantity)
    if gauges.in_use(profile, quantity, case.params) is not Algorithm.DIRECT or not profile.exact:
        return 0
    first, second = (values.x, values.weight) if quantity == "output" else (
        values.grad_output, values.weight if quantity == "grad_input" else values.x
    )  # fmt: skip
    terms = reduction_lengths(case.params, case.input_shape)[quantity]
    addend = largest_magnitude(values.bias) if quantity == "output" and values.bias is not None else 0.0
    largest = terms * largest_magnitude(first) * largest_magnitude(second) + addend
    if largest > min(integer_limit(profile, case.dtype), 2.0 ** component_format(case.dtype).precision):
        return 0
    return int(min(_FACTORS, 2.0**FLOAT64.precision / (max(1.0, largest) * _channels(case.params, quantity))))


def _channels(params: Conv2dParams, quantity: Quantity) -> int:
    """Those over which a quantity is projected, of all groups."""
    return params.in_channels if quantity == "grad_input" else params.out_channels


def _judge(trial: Trial, quantity: Quantity, got: Array, most: int) -> Verdict:
    params, values = trial.case.params, trial.integers
    groups = params.groups
    number = _channels(params, quantity)
    rng = np.random.default_rng([trial.case.seed, number])
    factors = rng.integers(1, most, (groups, number // groups), endpoint=True).astype(np.float64)
    if quantity == "grad_input":
        alone = _layer(params, in_channels=groups)
        filters = np.einsum("gi,goihw->gohw", factors, _in_groups(values.weight, groups))
        shape = (*values.x.shape[:-3], groups, *values.x.shape[-2:])
        due = conv2d_grad_input(values.grad_output, filters.reshape(alone.weight_shape), alone, shape)
        found = _combined(factors, got)
    elif quantity == "output":
        alone = _layer(params, out_channels=groups)
        filters = np.einsum("go,goihw->gihw", factors, _in_groups(values.weight, groups))
        bias = None if values.bias is None else (factors * values.bias.reshape(groups, -1)).sum(axis=1)
        due = conv2d(_wide(values.x), filters, bias, alone)
        found = _combined(factors, got)
    else:
        alone = _layer(params, out_channels=groups)
        due = conv2d_grad_weight(_combined(factors, values.grad_output), _wide(values.x), alone)
        found = np.einsum("go,goihw->gihw", factors, _in_groups(got, groups))
    clauses = (*exercised(trial.case, quantity), CLAUSE)
    with np.errstate(invalid="ignore"):
        wrong = ~(found == due)
    if not wrong.any():
        return Verdict(NAME, quantity, Status.PASS, clauses)
    first = tuple(int(i) for i in np.unravel_index(int(wrong.argmax()), wrong.shape))
    count = int(np.count_nonzero(wrong))
    evidence = Evidence(
        (), f"{due[first]:.17g}", f"{found[first]:.17g}", count, wrong.size,
        f"the weighted sum over the channels of a group differs first at {first}",
    )  # fmt: skip
    reason = f"{quantity} differs from the exact integer result in some channel"
    return Verdict(NAME, quantity, Status.FAIL, clauses, reason, evidence=evidence)


def _wide(array: Array) -> Array:
    return np.asarray(array, np.float64)


def _in_groups(filters: Array, groups: int) -> Array:
    """(O, C/G, kh, kw) as (G, O/G, C/G, kh, kw)."""
    return _wide(filters).reshape(groups, -1, *filters.shape[1:])


def _layer(params: Conv2dParams, **channels: int) -> Conv2dParams:
    return Conv2dParams.of(replace(params.arguments, bias=False, **channels))


def _combined(factors: Array, channels: Array) -> Array:
    """(…, G·n, H, W) as (…, G, H, W), weighted by factors (G, n) and summed."""
    apart = channels.reshape(*channels.shape[:-3], *factors.shape, *channels.shape[-2:])
    found = np.zeros((*channels.shape[:-3], len(factors), *channels.shape[-2:]))
    number = factors.shape[1]
    step = max(1, number * _AT_ONCE // max(1, channels.size))
    for first in range(0, number, step):
        some = slice(first, first + step)
        found += np.einsum("gn,...gnhw->...ghw", factors[:, some], _wide(apart[..., some, :, :]))
    return found


ORACLE: Final = Oracle(NAME, judge, kind=RESULT, at_scale=AtScale.WHOLE)
