"""The contract: shapes, dtypes, plain arrays, and inputs left untouched byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from convcheck.model.calls import Operation, Returned
from convcheck.model.profiles import GRADIENTS, Quantity
from convcheck.model.verdicts import Evidence, Status, Verdict
from convcheck.oracles.oracle import RESULT, AtScale, Oracle
from convcheck.oracles.support.exercised import exercised
from convcheck.oracles.support.trial import Trial
from convcheck_reference.formats import DTYPES

NAME = "contract"

_SHAPE_CLAUSES = {
    "output": ("C2D-SHAPE-1", "C2D-SHAPE-6"),
    "grad_input": ("C2D-GRAD-1",),
    "grad_weight": ("C2D-SHAPE-4", "C2D-GRAD-2"),
    "grad_bias": ("C2D-SHAPE-5", "C2D-GRAD-3"),
}

_UNTOUCHED = Verdict(NAME, "inputs", Status.PASS, ("C2D-PURE-1",))


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge every call of a legal case that returned."""
    if trial.case.violation is not None or trial.case.entry == "module":
        return
    for name, outcome in trial.outcomes.items():
        if not isinstance(outcome, Returned):
            continue
        if name in trial.calls:
            forward = trial.calls[name].operation is Operation.FORWARD
            quantities: tuple[Quantity, ...] = ("output",) if forward else GRADIENTS
            for quantity in quantities:
                yield from _judge_array(trial, outcome, quantity)
        yield _judge_inputs(outcome)


def _judge_array(trial: Trial, outcome: Returned, quantity: Quantity) -> Iterator[Verdict]:
    case = trial.case
    if quantity in outcome.malformed:
        reason = f"{quantity} is no plain array: {outcome.malformed[quantity]}"
        yield Verdict(NAME, quantity, Status.FAIL, ("C2D-PURE-3",), reason)
        return
    array = outcome.arrays.get(quantity)
    shape_clauses = (*_situation(trial), *_SHAPE_CLAUSES[quantity])
    if quantity == "grad_bias" and not case.params.bias:
        if array is None:
            return
        reason = f"the layer has no bias, but grad_bias is an array of shape {array.shape}"
        yield Verdict(NAME, quantity, Status.FAIL, ("C2D-BIAS-2",), reason)
        return
    if array is None:
        reason = f"{quantity} is None; expected an array of shape {trial.shape(quantity)}"
        yield Verdict(NAME, quantity, Status.FAIL, shape_clauses, reason)
        return
    expected = trial.shape(quantity)
    if array.shape != expected:
        reason = f"{quantity} has shape {array.shape}; expected {expected}"
        evidence = Evidence((), str(expected), str(array.shape), 1, 1, "the shape")
        clauses = tuple(dict.fromkeys((*exercised(case, quantity), *shape_clauses)))
        yield Verdict(NAME, quantity, Status.FAIL, clauses, reason, evidence=evidence)
        return
    if array.dtype == DTYPES[case.dtype]:
        yield _passed(quantity, *shape_clauses, "C2D-PURE-3", "C2D-DTYPE-1")
        return
    reason = f"{quantity} has dtype {array.dtype}; expected {case.dtype}"
    yield Verdict(NAME, quantity, Status.FAIL, ("C2D-DTYPE-1",), reason)
    yield _passed(quantity, *shape_clauses, "C2D-PURE-3")


@cache
def _passed(quantity: Quantity, *clauses: str) -> Verdict:
    return Verdict(NAME, quantity, Status.PASS, clauses)


def _judge_inputs(outcome: Returned) -> Verdict:
    if outcome.mutated:
        reason = f"the call changed the bytes of {', '.join(outcome.mutated)}"
        return Verdict(NAME, "inputs", Status.FAIL, ("C2D-PURE-1",), reason)
    return _UNTOUCHED


def _situation(trial: Trial) -> tuple[str, ...]:
    if trial.case.unbatched:
        return ("C2D-SHAPE-2",)
    return ("C2D-SHAPE-3",) if trial.case.batch == 0 else ()


# gradients of an output of the wrong shape raise
ORACLE: Final = Oracle(NAME, judge, kind=RESULT, explains_refusals=True, at_scale=AtScale.WHOLE)
