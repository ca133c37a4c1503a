"""Exact finite differences: f(x + h·e) − f(x), with h = ±1 on integers, is h times a column of the Jacobian.

Convolution is linear in x and in the weight, so a difference has no truncation error; on integers sized for
the dtype it has no rounding error either. The candidate's own gradient has to be the column's product with
grad_output. A step goes towards zero, so that sums do not grow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Call, Operation, Returned
from convcheck.model.profiles import QUANTITIES, Quantity
from convcheck.model.verdicts import Evidence, Status, Verdict
from convcheck.numerics.limits import integer_limit, within_dtype
from convcheck.oracles.oracle import Oracle, Priority
from convcheck.oracles.support.exercised import exercised
from convcheck.oracles.support.expected import Expected
from convcheck.oracles.support.trial import Trial
from convcheck.oracles.support.wellformed import fault, misshapen
from convcheck.tensors.layouts import conformed
from convcheck.tensors.values import Values, integer_values

Array = NDArray[Any]

NAME = "finite-differences"
QUANTITY = "adjoint"
CLAUSE = "C2D-GRAD-5"
BUDGET: Final = 100_000
"""Multiply-adds of one forward pass up to which a case is asked: there are nine passes."""

_FORWARD, _BACKWARD = "forward", "backward"
_SEED: Final = 29


@dataclass(frozen=True, slots=True)
class Step:
    """One element of x or of the weight, moved by ±1."""

    tensor: Literal["x", "weight"]
    index: tuple[int, ...]
    by: int

    @property
    def gradient(self) -> Quantity:
        """Which gradient says what the step does."""
        return "grad_input" if self.tensor == "x" else "grad_weight"

    def __str__(self) -> str:
        """The element: ``x[0, 2, 1, 1]``."""
        return f"{self.tensor}[{', '.join(map(str, self.index))}]"


def calls(trial: Trial) -> Mapping[str, Call]:
    """The forward and the backward pass, and a forward pass for each step."""
    case = trial.case
    if not _applies(trial) or case.multiply_adds > BUDGET:
        return {}
    values = _values(trial)
    return {
        _FORWARD: trial.call(Operation.FORWARD, values),
        _BACKWARD: trial.call(Operation.BACKWARD, values),
        **{str(step): trial.call(Operation.FORWARD, _moved(values, step)) for step in _steps(trial, values)},
    }


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge the gradients of x and of the weight, each at a few elements (clause C2D-GRAD-5)."""
    if trial.outcome(NAME, _FORWARD) is None:
        return
    values = _values(trial)
    steps = _steps(trial, values)
    for gradient in dict.fromkeys(step.gradient for step in steps):
        clauses = (*exercised(trial.case, gradient), CLAUSE)
        some = [step for step in steps if step.gradient == gradient]
        needed: list[tuple[str, Quantity]] = [(_FORWARD, "output"), *((str(step), "output") for step in some)]
        results = [_result(trial, name, result) for name, result in (*needed, (_BACKWARD, gradient))]
        wrong = next((result for result in results if isinstance(result, str)), None)
        if wrong is not None:
            yield misshapen(NAME, QUANTITY, clauses, f"the output or {gradient}", wrong, trial.shape(gradient))
        arrays = [result for result in results if isinstance(result, np.ndarray)]
        if len(arrays) == len(results):
            yield _judge(trial, values, some, arrays, clauses)


def _judge(trial: Trial, values: Values, steps: list[Step], arrays: list[Array], clauses: tuple[str, ...]) -> Verdict:
    output, *moved, gradient = arrays
    if not _exact(trial, values, steps[0].gradient):
        reason = "some result needs more bits than its dtype has, so it may be rounded"
        return Verdict(NAME, QUANTITY, Status.VACUOUS, clauses, reason)
    for step, after in zip(steps, moved, strict=True):
        with np.errstate(invalid="ignore", over="ignore"):  # wrong results may be infinite
            column = (_wide(after) - _wide(output)) * step.by
            expected = np.vdot(column, _wide(values.grad_output)).astype(gradient.dtype)
        if gradient[step.index] != expected:
            evidence = Evidence(step.index, f"{expected}", f"{gradient[step.index]}", 1, len(steps), str(step))
            reason = f"moving {step} by {step.by} changes the output by other than {step.gradient} says"
            return Verdict(NAME, QUANTITY, Status.FAIL, clauses, reason, evidence=evidence)
    return Verdict(NAME, QUANTITY, Status.PASS, clauses)


def _applies(trial: Trial) -> bool:
    profiles = (trial.capabilities.promised(trial.case, quantity) for quantity in QUANTITIES)
    return trial.capabilities.gradients and trial.case.batch > 0 and all(p.exact_integers for p in profiles)


def _values(trial: Trial) -> Values:
    """Integers of which no result needs more bits than its dtype has."""
    case = trial.case
    narrow = {q: within_dtype(trial.capabilities.promised(case, q), case.dtype) for q in QUANTITIES}
    return integer_values(case, narrow)


def _steps(trial: Trial, values: Values) -> list[Step]:
    """The first, the last and any element of x and of the weight that a step can bring nearer to zero."""
    rng = np.random.default_rng([trial.case.seed, _SEED])
    steps = []
    tensors: tuple[tuple[Literal["x", "weight"], Array], ...] = (("x", values.x), ("weight", values.weight))
    for (name, array), layout in zip(tensors, trial.case.layouts[:2], strict=True):
        movable = np.argwhere(array.real != 0)
        chosen = (0, len(movable) - 1, int(rng.integers(max(1, len(movable))))) if len(movable) else ()
        for at in dict.fromkeys(chosen):
            index = tuple(int(i) for i in movable[at])
            step = Step(name, index, -1 if array[index].real > 0 else 1)
            after = getattr(_moved(values, step), name)
            # where entries share their memory, none of them moves alone
            if np.array_equal(after, conformed(after, layout)):
                steps.append(step)
    return steps


def _moved(values: Values, step: Step) -> Values:
    array = getattr(values, step.tensor).copy()
    array[step.index] += array.dtype.type(step.by)
    return replace(values, x=array) if step.tensor == "x" else replace(values, weight=array)


def _exact(trial: Trial, values: Values, gradient: Quantity) -> bool:
    """Whether neither the output, before or after a step, nor the gradient may have been rounded."""
    case, expected = trial.case, Expected(trial.case, values)
    return all(
        expected.sum(quantity).stays_below(
            integer_limit(within_dtype(trial.capabilities.promised(case, quantity), case.dtype), case.dtype)
        )
        for quantity in ("output", gradient)
    )


def _result(trial: Trial, name: str, quantity: Quantity) -> Array | str | None:
    """A result of a call; what is wrong with it, as text; None where the call did not return."""
    outcome = trial.outcome(NAME, name)
    if not isinstance(outcome, Returned):
        return None
    wrong = fault(outcome, quantity, trial.shape(quantity), trial.case.dtype)
    return wrong or outcome.arrays[quantity]


def _wide(array: Array) -> Array:
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


ORACLE: Final = Oracle(NAME, judge, calls, every=10, priority=Priority.OWN_CALLS, redundant=True)
