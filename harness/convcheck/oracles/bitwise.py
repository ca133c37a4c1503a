"""Bitwise relations of floats: the same call gives the same bits, and −2^k times the data −2^k times the result.

Multiplying by a power of two, and changing the sign, commutes with every rounding to nearest as long as
nothing underflows or overflows, so no tolerance is needed and no reference. What breaks it are thresholds,
clamps and epsilons, subnormals flushed too early, paths chosen by the data, and races. All calls lie in
the same buffers, because the alignment of an input may change the order of summation, legally.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Call, Operation
from convcheck.model.levels import Level
from convcheck.model.profiles import GRADIENTS, Profile, Quantity
from convcheck.model.verdicts import Status, Verdict
from convcheck.numerics.bounds import accumulation_error
from convcheck.numerics.reduction_length import reduction_lengths
from convcheck.oracles.oracle import PRECISION, RESULT, Oracle, Priority
from convcheck.oracles.support.compare import compare_exact
from convcheck.oracles.support.trial import Trial
from convcheck.tensors.values import Values
from convcheck_reference.formats import Format, component_format

Array = NDArray[Any]

NAME = "bitwise"
REPEATED = "C2D-PURE-4"
SCALED = "C2D-ARITH-4"

_EXPONENTS: Final = (3, -3, 20, -20)
_COMPLEX_GROWTH: Final = 4.0
"""Complex products by three real ones sum (re + im)·(re + im)."""


def calls(trial: Trial) -> dict[str, Call]:
    """Each operation once, again, and on scaled data."""
    return dict(_calls(trial))


def _calls(trial: Trial) -> Iterator[tuple[str, Call]]:
    for operation, quantities in _operations(trial):
        if trial.case.batch == 0 or not _repeatable(trial, quantities):
            continue
        yield f"{operation} once", trial.call(operation, trial.reals, "reused")
        yield f"{operation} again", trial.call(operation, trial.reals, "reused")
        by = factor(trial, operation)
        if by != 1.0:
            yield _scaled_by(operation, by), trial.call(operation, _scaled(trial, operation, by), "reused")


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge repetition (clause C2D-PURE-4) and scaling (clause C2D-ARITH-4) of every quantity."""
    if trial.case.batch == 0 or trial.case.entry == "module":
        return
    for operation, quantities in _operations(trial):
        if not _repeatable(trial, quantities):
            for quantity in quantities:
                reason = "the declared profile does not promise the same bits twice"
                yield Verdict(NAME, quantity, Status.NOT_APPLICABLE, (REPEATED, SCALED), reason)
            continue
        by = factor(trial, operation)
        names = (f"{operation} once", f"{operation} again", _scaled_by(operation, by))
        once, again, scaled = (trial.outcome(NAME, name) for name in names)
        for quantity in quantities:
            first = trial.array(once, quantity)
            if first is None or first.size == 0:
                continue
            yield from _judge_repetition(quantity, first, trial.array(again, quantity))
            yield from _judge_scaling(trial, quantity, first, trial.array(scaled, quantity), by)


def _scaled_by(operation: Operation, by: float) -> str:
    """The name of a call; under a profile for which another factor is right there is no such call."""
    return f"{operation} scaled by {by:g}"


def factor(trial: Trial, operation: Operation) -> float:
    """±2^k such that nothing underflows or overflows, k the first that will do; 1 where there is none.

    Truncating accumulators keep the sign: some round towards −∞.
    """
    quantities = dict(_operations(trial))[operation]
    profiles = [trial.capabilities.promised(trial.case, q) for q in quantities]
    sign = 1.0 if any(p.truncating for p in profiles) else -1.0
    start = trial.case.seed % len(_EXPONENTS)
    for exponent in (*_EXPONENTS[start:], *_EXPONENTS[:start]):
        if all(_commutes(trial, q, p, exponent) for q, p in zip(quantities, profiles, strict=True)):
            return sign * 2.0**exponent
    return sign


def _operations(trial: Trial) -> Iterator[tuple[Operation, tuple[Quantity, ...]]]:
    yield Operation.FORWARD, ("output",)
    if trial.capabilities.gradients and trial.case.regime != "special":
        yield Operation.BACKWARD, GRADIENTS if trial.case.params.bias else GRADIENTS[:-1]


def _repeatable(trial: Trial, quantities: tuple[Quantity, ...]) -> bool:
    return all(trial.capabilities.promised(trial.case, q).repeatable for q in quantities)


def _scaled(trial: Trial, operation: Operation, by: float) -> Values:
    """The data with x or the weight scaled, by turns, and the bias; backward grad_output."""
    values = trial.reals

    def times(array: Array) -> Array:
        wide = np.complex128 if array.dtype.kind == "c" else np.float64
        with np.errstate(invalid="ignore"):
            return (array.astype(wide) * by).astype(array.dtype)

    if operation is Operation.BACKWARD:
        return replace(values, grad_output=times(values.grad_output))
    bias = None if values.bias is None else times(values.bias)
    if trial.case.seed & 4:
        return replace(values, weight=times(values.weight), bias=bias)
    return replace(values, x=times(values.x), bias=bias)


def _commutes(trial: Trial, quantity: Quantity, profile: Profile, exponent: int) -> bool:
    """Whether every rounding on the way to a quantity commutes with a factor of 2^exponent.

    The numbers on the way are multiples of the last bit of the smallest product: if that is a normal
    number before and after, no sum of them is subnormal. Their magnitude stays below n·max|a|·max|b|.
    Neither holds where transforms divide.
    """
    case = trial.case
    if not profile.exact_integers:
        return False
    result = component_format(case.dtype)
    factors, addend = _summed(trial.reals, quantity)
    smallest = [_smallest(a) for a in (*factors, addend)]
    down, up = 2.0 ** min(exponent, 0), 2.0 ** max(exponent, 0)
    if min(smallest) * down < result.smallest_normal or max(map(_largest, (*factors, addend))) * up > result.largest:
        return False
    # gradients may pass through sums that are rounded to the dtype of the result, outputs where it is promised
    once = quantity == "output" and not profile.rounds_before_bias
    formats = (profile.accumulator,) if once else (profile.accumulator, result)
    last_bit = math.prod(smallest[:2]) * 2.0 ** (2 - 2 * result.precision)
    if min(last_bit, smallest[2] * 2.0 ** (1 - result.precision)) * down < max(f.smallest_normal for f in formats):
        return False
    terms = reduction_lengths(case.params, case.input_shape)[quantity]
    most = terms * math.prod(map(_largest, factors)) + _largest(addend)
    growth = (_COMPLEX_GROWTH if case.dtype.startswith("complex") else 1.0) * (1.0 + accumulation_error(profile, terms))
    return bool(most * growth * up <= min(f.largest for f in (profile.accumulator, result)))


def _summed(values: Values, quantity: Quantity) -> tuple[tuple[Array, Array], Array]:
    """The two factors of a quantity's products, and what is added besides."""
    one = np.ones(1)
    if quantity == "output":
        return (values.x, values.weight), one if values.bias is None else values.bias
    other = {"grad_input": values.weight, "grad_weight": values.x}.get(quantity, one)
    return (values.grad_output, other), one


def _parts(array: Array) -> Array:
    """The finite magnitudes of an array's components."""
    parts = np.stack([array.real, array.imag]) if array.dtype.kind == "c" else array
    sizes = np.abs(parts.astype(np.float64))
    return np.asarray(sizes[np.isfinite(sizes)])


def _smallest(array: Array) -> float:
    sizes = _parts(array)
    return float(np.min(sizes, where=sizes > 0, initial=1.0))


def _largest(array: Array) -> float:
    return float(_parts(array).max(initial=0.0))


def _judge_repetition(quantity: Quantity, first: Array, again: Array | None) -> Iterator[Verdict]:
    if again is None:
        return
    found = compare_exact(again, first, ~(np.isnan(again) & np.isnan(first)))
    reason = "" if found.status is Status.PASS else f"the same call gives another {quantity} the second time"
    yield Verdict(NAME, quantity, found.status, (REPEATED,), reason, evidence=found.evidence)


def _judge_scaling(
    trial: Trial, quantity: Quantity, first: Array, scaled: Array | None, by: float
) -> Iterator[Verdict]:
    if scaled is None:
        return
    wide = first.astype(np.complex128 if first.dtype.kind == "c" else np.float64)
    with np.errstate(invalid="ignore"):
        expected = wide * by
    judged = ~(np.isnan(scaled) & np.isnan(first))
    if abs(by) != 1.0:
        judged &= _normal(wide, expected, component_format(trial.case.dtype))
    found = compare_exact(scaled, expected, judged)
    status = found.status if judged.any() else Status.VACUOUS
    reason = "" if judged.any() else "every result is too small to be scaled without underflow"
    if found.status is not Status.PASS:
        reason = f"with {by:g} times the data, {quantity} is not {by:g} times what it was"
    yield Verdict(NAME, quantity, status, (SCALED,), reason, evidence=found.evidence)


def _normal(before: Array, after: Array, result: Format) -> NDArray[np.bool_]:
    """Where no component may have been rounded as a subnormal."""
    least = 2.0 * result.smallest_normal
    parts = [(before, after)] if before.dtype.kind != "c" else [(before.real, after.real), (before.imag, after.imag)]
    ok = [(np.abs(b) >= least) & (np.abs(a) >= least) for b, a in parts]
    return np.asarray(np.logical_and.reduce(ok))


ORACLE: Final = Oracle(
    NAME, judge, calls, level=Level.STATE, every=10, priority=Priority.OWN_CALLS, repeats_kinds=(RESULT, PRECISION)
)
