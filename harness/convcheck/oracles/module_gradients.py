"""Gradients of a module: what a backward pass leaves in its input and its parameters, some of which may be frozen.

A layer whose input asks for no gradient is the first of a network, one whose parameters ask for none is frozen: other
code may run in each. The module draws its parameters, so results are compared with a bound, on reals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import OPERANDS, Call, Operand, Operation, Returned, Tensor
from convcheck.model.profiles import GRADIENTS, Quantity
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.oracle import PRECISION, RESULT, Oracle, Priority
from convcheck.oracles.support.compare import compare_bounded
from convcheck.oracles.support.error_level import flushing, level_of_error
from convcheck.oracles.support.exercised import exercised
from convcheck.oracles.support.expected import Expected
from convcheck.oracles.support.own_call import BUDGET, worst
from convcheck.oracles.support.trial import SINGLE_CALL, Trial
from convcheck.oracles.support.wellformed import fault, misshapen
from convcheck.tensors.layouts import conformed
from convcheck.tensors.values import Values
from convcheck_reference.formats import DTYPES

NAME = "module-gradients"
CLAUSE = "C2D-MODULE-7"

Wanted: TypeAlias = tuple[Operand, ...]

_STREAM: Final = 78
"""Of random numbers for grad_output: another than that of the input."""


def calls(trial: Trial) -> Mapping[str, Call]:
    """A backward pass of a new module for each choice of operands that require gradients, where autograd records it."""
    return trial.once(_calls)


def _calls(trial: Trial) -> Mapping[str, Call]:
    case, asked = trial.case, trial.capabilities.module and trial.capabilities.autograd
    if case.entry != "module" or not asked or case.multiply_adds > BUDGET:
        return {}
    plain = trial.calls[SINGLE_CALL]
    values = np.random.default_rng([case.seed, _STREAM]).standard_normal(case.output_shape).astype(DTYPES[case.dtype])
    layout = case.layout_of["grad_output"]
    grad_output = Tensor(conformed(values, layout), layout, plain.tensors["x"].memory)
    call = replace(plain, operation=Operation.MODULE_BACKWARD, tensors={**plain.tensors, "grad_output": grad_output})
    return {_name(some): replace(call, wanted=some) for some in _choices(trial)}


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge each gradient of every call, one verdict a quantity (clause C2D-MODULE-7)."""
    returned = {some: trial.outcome(NAME, _name(some)) for some in _choices(trial)} if _entered(trial) else {}
    expected = _Due(trial)
    for quantity, operand in zip(GRADIENTS, OPERANDS, strict=True):
        asked = {some: got for some, got in returned.items() if operand in some and isinstance(got, Returned)}
        yield from worst([_judged(trial, expected, quantity, some, got) for some, got in asked.items()])


class _Due:
    """What is due of a module with some parameters; most draw the same ones each time."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._calls = calls(trial)
        self._known: dict[bytes, Expected] = {}

    def of(self, some: Wanted, outcome: Returned) -> Expected | None:
        """What is due in one call; None where the parameters are none of the layer."""
        case, weight, bias = self._trial.case, outcome.arrays.get("weight"), outcome.arrays.get("bias")
        shapes = [None if array is None else array.shape for array in (weight, bias)]
        if weight is None or shapes != [case.params.weight_shape, case.params.bias_shape]:
            return None
        key = weight.tobytes()
        if key not in self._known:
            tensors = self._calls[_name(some)].tensors
            values = Values(tensors["x"].values, weight, bias, tensors["grad_output"].values)
            self._known[key] = Expected(case, values)
        return self._known[key]


def _entered(trial: Trial) -> bool:
    return trial.case.violation is None and trial.case.entry == "module"


def _choices(trial: Trial) -> tuple[Wanted, ...]:
    """All operands of the layer, and every choice of some."""
    present = OPERANDS if trial.case.params.bias else OPERANDS[:-1]
    return tuple(some for count in range(len(present), 0, -1) for some in combinations(present, count))


def _name(some: Wanted) -> str:
    return f"of {' and '.join(some)}"


def _judged(trial: Trial, due: _Due, quantity: Quantity, some: Wanted, outcome: Returned) -> Verdict | None:
    """The verdict on one gradient; None where the module has no such leaf, or other parameters than the layer."""
    case, expected = trial.case, due.of(some, outcome)
    got = outcome.arrays.get(quantity)
    if expected is None or (got is None and quantity not in outcome.malformed):
        return None
    clauses = (CLAUSE, *exercised(case, quantity))
    what = f"{quantity} of the module, where gradients {_name(some)} are asked for,"
    wrong = fault(outcome, quantity, trial.shape(quantity), case.dtype)
    if wrong or got is None:
        return misshapen(NAME, quantity, clauses, what, wrong, trial.shape(quantity))
    return None if got.size == 0 else _compared(trial, expected, quantity, got, clauses, what)


def _compared(
    trial: Trial, expected: Expected, quantity: Quantity, got: NDArray[Any], clauses: tuple[str, ...], what: str
) -> Verdict:
    profile = trial.capabilities.promised(trial.case, quantity)
    bound = expected.bound(quantity, profile)
    if bound is None:
        return Verdict(NAME, quantity, Status.VACUOUS, clauses, expected.unbounded(quantity, profile))
    compared = compare_bounded(got, expected.sum(quantity).value, bound, quantity)
    if compared.status is Status.PASS:
        return Verdict(NAME, quantity, Status.PASS, clauses, margin=compared.margin)
    reason = f"{what} is not that of the layer"
    level = level_of_error(got, expected.sum(quantity), bound, expected.bound(quantity, flushing(profile)))
    return Verdict(NAME, quantity, compared.status, clauses, reason, compared.margin, compared.evidence, level)


ORACLE: Final = Oracle(
    NAME, judge, calls, every=2, entry="module", priority=Priority.OWN_CALLS, repeats_kinds=(RESULT, PRECISION)
)
