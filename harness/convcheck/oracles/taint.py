"""Taint: one NaN or infinity among the integers shows in the results that read it, and nowhere else.

The receptive field of one element is known exactly, so a value that is read too much (and dropped), too
little, or replaced shows; what the element does not reach has to be the exact integer that it is
without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Call, Operation
from convcheck.model.case import Layout
from convcheck.model.levels import Level
from convcheck.model.profiles import GRADIENTS, Quantity
from convcheck.model.strides import repeated_axes
from convcheck.model.verdicts import Status, Verdict
from convcheck.numerics import nonfinite
from convcheck.numerics.gauges import spreads
from convcheck.numerics.nonfinite import FINITE, Classes
from convcheck.oracles.exact import compare_integers
from convcheck.oracles.oracle import RESULT, Oracle, Priority
from convcheck.oracles.special import NAME as SPECIAL
from convcheck.oracles.special import misplaced, survives
from convcheck.oracles.support.exercised import exercised
from convcheck.oracles.support.products import counts, meets_padding
from convcheck.oracles.support.trial import Trial
from convcheck.tensors.values import Values

Array = NDArray[Any]

NAME = "taint"

_SEED: Final = 0x7A17


@dataclass(frozen=True, slots=True)
class Tainted:
    """One call with one special element.

    Attributes:
        name: of the call.
        operation: forward or backward.
        values: the integers with the element.
        quantities: which results are judged.
    """

    name: str
    operation: Operation
    values: Values
    quantities: tuple[Quantity, ...]


def calls(trial: Trial) -> Mapping[str, Call]:
    """One call for each tainted tensor."""
    return {t.name: trial.call(t.operation, t.values) for t in tainted(trial)}


def tainted(trial: Trial) -> Iterator[Tainted]:
    """A NaN or an infinity in x, in the weight and in grad_output."""
    case = trial.case
    if case.batch == 0 or not trial.capabilities.nonfinite or case.dtype.startswith("complex"):
        return
    values, rng = trial.integers, np.random.default_rng([case.seed, _SEED])
    layout_x, layout_weight, layout_grad = case.layouts
    special = [float(s) for s in rng.choice([np.nan, np.nan, np.inf, -np.inf], 3)]
    x = _with_one(values.x, special[0], rng, layout_x)
    yield Tainted(f"{special[0]} in x", Operation.FORWARD, replace(values, x=x), ("output",))
    weight = _with_one(values.weight, special[1], rng, layout_weight)
    yield Tainted(f"{special[1]} in weight", Operation.FORWARD, replace(values, weight=weight), ("output",))
    if trial.capabilities.gradients:
        grad = _with_one(values.grad_output, special[2], rng, layout_grad)
        quantities = GRADIENTS if case.params.bias else GRADIENTS[:-1]
        tensors = replace(values, grad_output=grad)
        yield Tainted(f"{special[2]} in grad_output", Operation.BACKWARD, tensors, quantities)


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge where each special element shows, and what it does not reach (clauses C2D-SPECIAL-1 and -2)."""
    for call in tainted(trial):
        for quantity in call.quantities:
            got = trial.array(trial.outcome(NAME, call.name), quantity)
            if got is not None and got.size:
                yield _judge(trial, call, quantity, got)


def _judge(trial: Trial, call: Tainted, quantity: Quantity, got: Array) -> Verdict:
    case, clean = trial.case, trial.expected_integers
    profile = trial.capabilities.promised(case, quantity)
    clauses = ("C2D-SPECIAL-1", "C2D-SPECIAL-2", *exercised(case, quantity))
    spread = spreads(profile, quantity, case.params)
    expected, open_ = _classes(trial, call.values, quantity)
    if spread:
        lost = misplaced(NAME, quantity, clauses, got, expected, survives(got, expected, open_))
        if lost is None:
            return Verdict(NAME, quantity, Status.NOT_APPLICABLE, clauses, spread)
        return replace(lost, reason=f"{call.name}: {lost.reason}")
    if profile.spreads_nan:
        open_ = open_ | np.isnan(got)
    exact = clean.exact(quantity, profile)
    # sums that are not exact may overflow, legally
    judged = ~open_ & (exact | (expected != FINITE))
    failure = misplaced(NAME, quantity, clauses, got, expected, judged)
    if failure is not None:
        return replace(failure, reason=f"{call.name}: {failure.reason}")
    with np.errstate(over="ignore"):  # where it is not finite, it is not judged
        unreached = np.where(judged & (expected == FINITE), got, clean.integers(quantity, profile).astype(got.dtype))
    compared = compare_integers(unreached.astype(got.dtype), clean, quantity, profile)
    if compared.status is not Status.PASS:
        reason = f"{call.name}: elements that do not read it are wrong"
        return Verdict(NAME, quantity, compared.status, clauses, reason, evidence=compared.evidence)
    reason = "" if judged.any() else "every element is left open, or is not exact under the declared profile"
    return Verdict(NAME, quantity, Status.PASS if judged.any() else Status.VACUOUS, clauses, reason)


def _classes(trial: Trial, values: Values, quantity: Quantity) -> tuple[Classes, NDArray[np.bool_]]:
    """The class of every element of a quantity, and where it is left open."""
    factors = {
        "output": (values.x, values.weight),
        "grad_input": (values.grad_output, values.weight),
        "grad_weight": (values.grad_output, values.x),
        "grad_bias": (values.grad_output, np.ones(1)),
    }
    a, b = factors[quantity]
    found = nonfinite.classify(a, b, counts(trial.case, quantity), trial.shape(quantity))
    beside_padding = values.weight if quantity == "output" else values.grad_output
    special = ~np.isfinite(beside_padding.astype(np.float64))
    return found, meets_padding(trial.case, quantity, special)


def _with_one(array: Array, special: float, rng: np.random.Generator, layout: Layout) -> Array:
    """`array` with one special element, the first, the last or any, and those that share its memory."""
    changed, last = array.copy(), array.size - 1
    at = (0, last, int(rng.integers(0, last, endpoint=True)))[int(rng.integers(3))]
    place: list[Any] = list(np.unravel_index(at, array.shape))
    for axis in repeated_axes(layout, array.ndim):
        place[axis] = slice(None)
    changed[tuple(place)] = special
    return changed


ORACLE: Final = Oracle(
    NAME,
    judge,
    calls,
    level=Level.IEEE,
    every=6,
    priority=Priority.OWN_CALLS,
    draws=8,  # every other element is a NaN, and two of them are in an output's operands
    repeats_kinds=(RESULT, SPECIAL),
)
