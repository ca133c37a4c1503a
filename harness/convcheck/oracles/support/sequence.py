"""A sequence of calls in the same buffers, each judged on exact integers: what oracles of state are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Call, Outcome, Returned
from convcheck.model.case import Case
from convcheck.model.profiles import Quantity
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.support.judged_call import JudgedCall, stale
from convcheck.oracles.support.trial import INTEGERS, REALS, Trial
from convcheck.oracles.support.wellformed import fault, misshapen


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the sequence.

    Attributes:
        asked: the call.
        alone: the case that calls the same layer, with data as near as can be; None for that of the trial.
    """

    asked: JudgedCall
    alone: Case | None = None


Steps: TypeAlias = Mapping[str, Step]
"""The steps in their order, by what sets each apart from the one before."""


def calls(steps: Steps) -> dict[str, Call]:
    """The calls of the steps."""
    return {name: step.asked.call for name, step in steps.items()}


def judge(trial: Trial, oracle: str, clause: str, steps: Steps) -> Iterator[Verdict]:
    """Judge each step's results, one verdict a quantity.

    Args:
        trial: after the calls.
        oracle: whose they are.
        clause: that is broken where a result is wrong.
        steps: of the trial.
    """
    earlier: dict[Quantity, list[NDArray[np.generic]]] = {}
    failed: set[Quantity] = set()
    passed: dict[Quantity, int] = {}
    for name, step in steps.items():
        if step.asked.trial.case.dtype != trial.case.dtype:
            continue  # judged in cases of that dtype
        alone = step.alone.token if step.alone else ""
        outcome = trial.outcome(oracle, name)
        for quantity, got in _misshapen(step.asked, outcome):
            if quantity not in failed:
                failed.add(quantity)
                shape, what = step.asked.trial.shape(quantity), f"{quantity} of the call '{name}'"
                yield replace(misshapen(oracle, quantity, (clause,), what, got, shape), alone=alone)
        for quantity, array, compared in step.asked.judged(outcome, but=tuple(failed)):
            if compared.status is not Status.PASS:
                failed.add(quantity)
                known = [*earlier.get(quantity, []), *(trial.returned(r, quantity) for r in (INTEGERS, REALS))]
                reason = f"{quantity} is wrong in the call '{name}'{stale(array, known)}"
                evidence = compared.evidence
                yield Verdict(oracle, quantity, compared.status, (clause,), reason, evidence=evidence, alone=alone)
            passed[quantity] = passed.get(quantity, 0) + bool(compared.judged)
            earlier.setdefault(quantity, []).append(array)
    for quantity in passed.keys() - failed:
        told_apart = _differ(earlier[quantity]) and passed[quantity] > 1
        reason = "" if told_apart else "the results of the calls are the same, or none is exact"
        status = Status.PASS if told_apart else Status.VACUOUS
        yield Verdict(oracle, quantity, status, (clause,), reason, calls=passed[quantity])


def _misshapen(asked: JudgedCall, outcome: Outcome | None) -> Iterator[tuple[Quantity, str]]:
    """The results of a call that returned which have not the shape and dtype of the contract, and what they are."""
    if isinstance(outcome, Returned):
        trial = asked.trial
        found = ((q, fault(outcome, q, trial.shape(q), trial.case.dtype)) for q in asked.quantities)
        yield from ((quantity, got) for quantity, got in found if got)


def _differ(results: list[NDArray[np.generic]]) -> bool:
    return any(a.shape == b.shape and not np.array_equal(a, b) for a, b in combinations(results, 2))
