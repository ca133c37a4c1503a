"""Partial gradients: those of some operands alone, on the exact integers that are due where all are asked for.

What needs no gradient changes which code runs: the first layer of a network asks for those of weight and bias only, a
frozen one for that of its input. Every choice of operands is a call, but for all of them, which each case asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Final, TypeAlias

from convcheck.model.calls import OPERANDS, Call, Operand
from convcheck.model.profiles import GRADIENTS, Quantity
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.exact import expectation as exact_expectation
from convcheck.oracles.oracle import Expectation, Oracle, Priority
from convcheck.oracles.support.own_call import Asked, integer_call, judge_own, worst
from convcheck.oracles.support.trial import CallKey, Trial

NAME = "gradients-partial"
CLAUSE = "C2D-GRAD-8"

Wanted: TypeAlias = tuple[Operand, ...]

_OPERANDS: Final[Mapping[Quantity, Operand]] = dict(zip(GRADIENTS, OPERANDS, strict=True))


def calls(trial: Trial) -> Mapping[str, Call]:
    """A backward pass for each choice of operands, where the backend can be asked for it."""
    asked = trial.capabilities.partial_gradients or trial.capabilities.autograd
    whole = integer_call(trial, "grad_input") if asked else None
    return {} if whole is None else {_name(some): replace(whole, wanted=some) for some in choices(trial)}


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge each gradient of every call, one verdict a quantity (clause C2D-GRAD-8)."""
    for quantity in GRADIENTS:
        yield from worst([_judged(trial, some, quantity) for some in _asking(trial, quantity)])


def expectation(trial: Trial, quantity: Quantity) -> Expectation:
    """What is due where all gradients are, of the first call in which it is wrong, as far as calls were made."""
    asking = _asking(trial, quantity)
    verdicts = ((some, _judged(trial, some, quantity)) for some in asking)
    wrong = [some for some, verdict in verdicts if verdict is not None and verdict.status is Status.FAIL]
    return replace(exact_expectation(trial, quantity), key=CallKey(NAME, _name((wrong or asking)[0])))


def choices(trial: Trial) -> tuple[Wanted, ...]:
    """Some operands of the layer, but not all: one alone, and pairs."""
    present = OPERANDS if trial.case.params.bias else OPERANDS[:-1]
    return tuple(some for count in range(1, len(present)) for some in combinations(present, count))


def _asking(trial: Trial, quantity: Quantity) -> list[Wanted]:
    return [some for some in choices(trial) if _OPERANDS[quantity] in some]


def _name(some: Wanted) -> str:
    return f"of {' and '.join(some)} alone"


def _judged(trial: Trial, some: Wanted, quantity: Quantity) -> Verdict | None:
    what = f"{quantity}, where gradients {_name(some)} are asked for,"
    return judge_own(trial, _name(some), quantity, Asked(NAME, CLAUSE, what))


ORACLE: Final = Oracle(NAME, judge, calls, every=12, priority=Priority.OWN_CALLS, expectation=expectation)
