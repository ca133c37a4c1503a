"""Hidden state: the same buffers with new contents, other layers, sizes and dtypes between, the first call again.

An implementation may cache what it derives from its arguments: packed weights, index tables, workspaces.
A cache that goes by address, shape or object identity gives a result of earlier contents. Every call is
judged on exact integers, so a stale result shows whatever it is a result of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Call, Operation
from convcheck.model.levels import Level
from convcheck.model.profiles import Quantity
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.oracle import Oracle, Priority
from convcheck.oracles.support.judged_call import JudgedCall, stale
from convcheck.oracles.support.trial import INTEGERS, REALS, Trial

NAME = "state"
CLAUSE = "C2D-PURE-4"

_OTHER_DTYPE = {"float32": "float64", "float64": "float32", "float16": "float32", "bfloat16": "float32"}


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the sequence.

    Attributes:
        name: what sets it apart from the step before.
        asked: the call.
        judged: whether its own results are; another dtype's are judged in cases of that dtype.
    """

    name: str
    asked: JudgedCall
    judged: bool = True


def calls(trial: Trial) -> dict[str, Call]:
    """The sequence; every step reuses the buffers of the one before where shapes allow."""
    return {step.name: step.asked.call for step in steps(trial)}


def steps(trial: Trial) -> Iterator[Step]:
    """A larger image, A, B one tensor at a time, another stride and dtype, A again; then B and A backward."""
    case = trial.case
    if case.batch == 0:
        return
    a, b = trial.integers, trial.other_integers
    larger = np.pad(a.x, [(0, 0)] * (a.x.ndim - 2) + [(0, 1), (0, 1)], mode="edge")
    grown = Trial(replace(case, input_shape=larger.shape), trial.capabilities)
    yield Step("a larger image", JudgedCall(grown, replace(a, x=larger)))
    yield Step("the image of the case", JudgedCall(trial, a))
    yield Step("x changed in place", JudgedCall(trial, replace(a, x=b.x)))
    yield Step("weight changed in place", JudgedCall(trial, replace(a, x=b.x, weight=b.weight)))
    if b.bias is not None:
        yield Step("bias changed in place", JudgedCall(trial, b))
    if case.arguments.padding != "same":
        wider = tuple(s + 1 for s in case.params.stride)
        strided = Trial(replace(case, arguments=replace(case.arguments, stride=wider)), trial.capabilities)
        yield Step("another stride", JudgedCall(strided, b))
    dtype = _OTHER_DTYPE.get(case.dtype)
    if dtype in trial.capabilities.dtypes:
        other = Trial(replace(case, dtype=dtype), trial.capabilities)
        yield Step("another dtype", JudgedCall(other, other.integers), judged=False)
    yield Step("the first contents again", JudgedCall(trial, a))
    if trial.capabilities.gradients:
        yield Step("other contents backward", JudgedCall(trial, b, Operation.BACKWARD))
        yield Step("the first contents backward", JudgedCall(trial, a, Operation.BACKWARD))


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge each step's results, one verdict a quantity (clause C2D-PURE-4)."""
    earlier: dict[Quantity, list[NDArray[np.generic]]] = {}
    failed: set[Quantity] = set()
    passed: dict[Quantity, int] = {}
    for step in steps(trial):
        if not step.judged:
            continue
        for quantity, got, compared in step.asked.judged(trial.outcome(NAME, step.name), but=tuple(failed)):
            if compared.status is not Status.PASS:
                failed.add(quantity)
                known = [*earlier.get(quantity, []), *(trial.returned(r, quantity) for r in (INTEGERS, REALS))]
                reason = f"{quantity} is wrong in the call '{step.name}'{stale(got, known)}"
                yield Verdict(NAME, quantity, compared.status, (CLAUSE,), reason, evidence=compared.evidence)
            passed[quantity] = passed.get(quantity, 0) + bool(compared.judged)
            earlier.setdefault(quantity, []).append(got)
    for quantity in passed.keys() - failed:
        told_apart = _differ(earlier[quantity]) and passed[quantity] > 1
        reason = "" if told_apart else "the results of the calls are the same, or none is exact"
        yield Verdict(NAME, quantity, Status.PASS if told_apart else Status.VACUOUS, (CLAUSE,), reason)


def _differ(results: list[NDArray[np.generic]]) -> bool:
    return any(a.shape == b.shape and not np.array_equal(a, b) for a, b in pairwise(results))


ORACLE: Final = Oracle(NAME, judge, calls, level=Level.STATE, every=20, priority=Priority.OWN_CALLS, of_state=True)
