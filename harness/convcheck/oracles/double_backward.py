"""Double backward: the gradients of ⟨ggx, gx⟩ + ⟨ggw, gw⟩ + ⟨ggb, gb⟩, exact on integers and bounded on reals.

Convolution is bilinear, so they are convolutions of the same kind, on other tensors:
grad_grad_output = conv(ggx, w) + conv(x, ggw) + ggb, dx = the input gradient of (dy, ggw), dw = the weight
gradient of (dy, ggx). Two layers of the reference hold all of it, one on (ggx, w), one on (x, ggw).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Call, Operation, Raised, Returned, Tensor
from convcheck.model.case import Case
from convcheck.model.levels import Level
from convcheck.model.profiles import QUANTITIES, Profile, Quantity
from convcheck.model.verdicts import Status, Verdict
from convcheck.numerics.bounds import gamma
from convcheck.numerics.limits import integer_limit, within_dtype
from convcheck.oracles.oracle import Oracle, Priority
from convcheck.oracles.support.compare import Comparison, compare_bounded, compare_exact
from convcheck.oracles.support.error_level import flushing, level_of_error
from convcheck.oracles.support.exercised import exercised
from convcheck.oracles.support.expected import Expected
from convcheck.oracles.support.sums import Sum
from convcheck.oracles.support.trial import INTEGERS, REALS, Trial
from convcheck.oracles.support.vacuity import too_few_judged, vacuous
from convcheck.oracles.support.wellformed import fault, misshapen
from convcheck.tensors.second_order import SecondOrder, second_order_integers, second_order_reals
from convcheck.tensors.values import Values
from convcheck_reference.formats import component_format

NAME = "double-backward"
QUANTITY = "double_backward"
CLAUSE = "C2D-GRAD-7"
BUDGET: Final = 300_000
"""Multiply-adds of one forward pass up to which a case is asked: the double backward has nine of them."""

_RESULTS: Final[tuple[tuple[str, Quantity], ...]] = (
    ("grad_grad_output", "output"),
    ("grad_input", "grad_input"),
    ("grad_weight", "grad_weight"),
)
"""Each result, and the quantity whose shape, profile and length of sums it shares."""


def calls(trial: Trial) -> Mapping[str, Call]:
    """One double backward on integers and one on reals, where it is declared, or tried."""
    case = trial.case
    if not trial.capabilities.double_backward or case.multiply_adds > BUDGET:
        return {}
    return {regime: _call(case, trial.once(second_order, regime)) for regime in (INTEGERS, REALS)}


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge the three results in both regimes (clause C2D-GRAD-7 and whatever the case exercises)."""
    for regime in (INTEGERS, REALS):
        outcome = trial.outcome(NAME, regime)
        if isinstance(outcome, Raised) and may_raise(trial):
            reason = f"gradients of gradients are not declared, and asking for them raises {outcome.kind}"
            yield Verdict(NAME, QUANTITY, Status.NOT_APPLICABLE, (CLAUSE,), reason)
        if not isinstance(outcome, Returned):
            continue
        expected = SecondOrderExpected.of(trial.case, trial.once(second_order, regime))
        for result, quantity in _RESULTS:
            yield from _judge_result(trial, outcome, regime, expected, result, quantity)


def may_raise(trial: Trial) -> bool:
    """Whether a double backward may raise: where nobody has declared that there is one."""
    return trial.capabilities.double_backward == "tried"


@dataclass(frozen=True, slots=True)
class SecondOrderExpected:
    """The reference on (ggx, w, ggb) and on (x, ggw)."""

    outer: Expected
    inner: Expected

    @classmethod
    def of(cls, case: Case, values: SecondOrder) -> SecondOrderExpected:
        """Of the tensors of a double backward."""
        layer = values.layer
        outer = Values(values.grad_grad_input, layer.weight, values.grad_grad_bias, layer.grad_output)
        inner = Values(layer.x, values.grad_grad_weight, None, layer.grad_output)
        return cls(Expected(case, outer), Expected(case, inner))

    def sum(self, quantity: Quantity) -> Sum:
        """The result that has the shape of a quantity."""
        if quantity == "grad_input":
            return self.inner.sum(quantity)
        if quantity == "grad_weight":
            return self.outer.sum(quantity)
        a, b = self.outer.sum(quantity), self.inner.sum(quantity)
        return Sum(a.value + b.value, a.terms, a.operands, a.addend + b.ceiling, lambda: a.gauge + b.gauge)

    def exact(self, quantity: Quantity, profile: Profile, dtype: str) -> NDArray[np.bool_]:
        """Where every sum, and every sum of results, is exact."""
        narrow = within_dtype(profile, dtype)
        if quantity == "output":
            return np.asarray(self.sum(quantity).gauge <= integer_limit(narrow, dtype))
        return (self.inner if quantity == "grad_input" else self.outer).exact(quantity, narrow)

    def bound(self, quantity: Quantity, profile: Profile, dtype: str) -> NDArray[np.float64] | None:
        """The largest legal error; None where there is no bound."""
        if quantity == "output":
            return self._bound_of_output(profile, dtype)
        return (self.inner if quantity == "grad_input" else self.outer).bound(quantity, profile)

    def _bound_of_output(self, profile: Profile, dtype: str) -> NDArray[np.float64] | None:
        """Both convolutions' bounds, and γ_3 for adding them and ggb in the dtype."""
        a, b = self.outer.bound("output", profile), self.inner.bound("output", profile)
        if a is None or b is None:
            return None
        result, gauge = component_format(dtype), self.sum("output").gauge
        bound = a + b + gamma(3, result.unit_roundoff) * (gauge + a + b)
        if profile.flushes_subnormals:
            bound = bound + 2.0 * result.smallest_normal
        return np.where(gauge > 0.5 * result.largest, np.inf, bound)


def _judge_result(
    trial: Trial, outcome: Returned, regime: str, expected: SecondOrderExpected, result: str, quantity: Quantity
) -> Iterator[Verdict]:
    case = trial.case
    clauses = (*exercised(case), CLAUSE)
    wrong = fault(outcome, result, trial.shape(quantity), case.dtype)
    if wrong:
        yield misshapen(NAME, QUANTITY, clauses, f"{result} of the double backward", wrong, trial.shape(quantity))
        return
    got = np.asarray(outcome.arrays[result])
    if got.size == 0:
        return
    profile = trial.capabilities.promised(case, quantity)
    found, level = expected.sum(quantity), Level.COMPUTES
    if regime == INTEGERS:
        if not profile.exact_integers:
            reason = f"integers are not exact under profile {profile.name}"
            yield Verdict(NAME, QUANTITY, Status.NOT_APPLICABLE, clauses, reason)
            return
        compared = compare_exact(got, found.value, expected.exact(quantity, profile, case.dtype))
    else:
        bound = expected.bound(quantity, profile, case.dtype)
        if bound is None:
            reason = f"sums of {found.terms} products under profile {profile.name}: n·u > 0.1 leaves no bound"
            yield Verdict(NAME, QUANTITY, Status.VACUOUS, clauses, reason)
            return
        compared, level = compare_bounded(got, found.value, bound), Level.PRECISION
        if compared.status is not Status.PASS:
            level = level_of_error(got, found, bound, expected.bound(quantity, flushing(profile), case.dtype))
    empty = too_few_judged(compared.judged, got.size) or vacuous(found, quantity, case)
    yield _verdict(result, compared, clauses, empty, level)


def _verdict(result: str, compared: Comparison, clauses: tuple[str, ...], empty: str, level: Level) -> Verdict:
    if compared.status is Status.PASS:
        status = Status.VACUOUS if empty else Status.PASS
        return Verdict(NAME, QUANTITY, status, clauses, empty, compared.margin, level=level)
    how = "differs from the exact integer result"
    if compared.margin is not None:
        how = f"is {compared.margin:.3g} times the largest legal error away"
    reason = f"{result} of the double backward {how}"
    return Verdict(NAME, QUANTITY, compared.status, clauses, reason, compared.margin, compared.evidence, level)


def second_order(trial: Trial, regime: str) -> SecondOrder:
    """The tensors of the second order in one value regime."""
    if regime == REALS:
        return second_order_reals(trial.case)
    profiles = {q: trial.capabilities.promised(trial.case, q) for q in QUANTITIES}
    return second_order_integers(trial.case, profiles)


def _call(case: Case, values: SecondOrder) -> Call:
    layout_x, layout_weight, layout_grad = case.layouts
    layer = values.layer
    tensors: dict[str, Any] = {
        "grad_grad_input": Tensor(values.grad_grad_input, layout_x),
        "grad_grad_weight": Tensor(values.grad_grad_weight, layout_weight),
        "grad_output": Tensor(layer.grad_output, layout_grad),
        "x": Tensor(layer.x, layout_x),
        "weight": Tensor(layer.weight, layout_weight),
    }
    if layer.bias is not None and values.grad_grad_bias is not None:
        layout = case.layout_bias
        tensors |= {"bias": Tensor(layer.bias, layout), "grad_grad_bias": Tensor(values.grad_grad_bias, layout)}
    return Call(Operation.DOUBLE_BACKWARD, case.arguments, tensors, case.dtype)


ORACLE: Final = Oracle(NAME, judge, calls, every=8, priority=Priority.OWN_CALLS, redundant=True)
