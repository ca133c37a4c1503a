"""Cache keys: calls that differ in one thing each, one after the other, in both orders.

A plan, a packed weight or a workspace is kept under a key, and whatever is missing in the key gives a result of another
call. So every argument, size, dtype and layout is changed by itself, and the shapes are kept by other means; tensors of
the same shape hold the same contents, so that a key of contents shows what it misses as well. Half of the cases go from
the case to each other one and back, the others from all the others to the case and to them again; half go backward.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from convcheck.model.calls import Call, Operation
from convcheck.model.case import Case
from convcheck.model.levels import Level
from convcheck.model.profiles import QUANTITIES
from convcheck.model.verdicts import Verdict
from convcheck.oracles.oracle import Oracle, Priority
from convcheck.oracles.support import sequence
from convcheck.oracles.support.judged_call import JudgedCall
from convcheck.oracles.support.sequence import Step
from convcheck.oracles.support.trial import Trial
from convcheck.strategies.changes import changes
from convcheck.tensors.values import integer_values

NAME = "cache-keys"
CLAUSE = "C2D-PURE-4"

MOST_MULTIPLY_ADDS: Final = 20_000
MOST_ELEMENTS: Final = 4_000
"""Of input and output together: there are two calls for each thing that can be changed."""

_EVERY: Final = 20


def calls(trial: Trial) -> dict[str, Call]:
    """The sequence; every call reuses the buffers of the one before where shapes allow."""
    return sequence.calls(trial.once(steps))


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge each call's results, one verdict a quantity (clause C2D-PURE-4)."""
    yield from sequence.judge(trial, NAME, CLAUSE, trial.once(steps))


def steps(trial: Trial) -> dict[str, Step]:
    """The calls by what was changed; none where they would cost too much."""
    case = trial.case
    if case.batch == 0 or not _small(case):
        return {}
    backward, others_first = order(trial)
    operation = Operation.BACKWARD if backward else Operation.FORWARD
    plain = _contiguous(trial)
    changed = changes(plain, trial.capabilities)
    if plain != case:
        changed["another layout of x"] = case
    own = Step(_asked(trial, plain, operation), plain)
    others = {name: Step(_asked(trial, other, operation), other) for name, other in changed.items() if _small(other)}
    if others_first:
        return {**others, "the case after them all": own, **{f"{name} again": step for name, step in others.items()}}
    there_and_back = {
        key: step for name, other in others.items() for key, step in ((name, other), (f"the case after {name}", own))
    }
    return {"the case": own, **there_and_back}


def order(trial: Trial) -> tuple[bool, bool]:
    """Whether the calls go backward, and whether the others come before the case."""
    drawn = zlib.crc32(trial.case.token.encode())
    return bool(drawn & 1) and trial.capabilities.gradients, bool(drawn & 2)


def _contiguous(trial: Trial) -> Case:
    """The case with a contiguous x, where there may be one: engines take other ways for other layouts.

    What one of these does wrong in some layers is then met in the case's own layer, and in no other.
    """
    case = trial.case
    if "contiguous" not in trial.capabilities.layouts:
        return case
    return replace(case, layouts=("contiguous", *case.layouts[1:]))


def _asked(trial: Trial, case: Case, operation: Operation) -> JudgedCall:
    """The call of a case on exact integers: tensors of the same shape hold the same contents, whatever the layer."""
    profiles = {quantity: trial.capabilities.promised(case, quantity) for quantity in QUANTITIES}
    values = integer_values(case, profiles, (trial.case.seed,) * 4)
    return JudgedCall(Trial(case, trial.capabilities), values, operation)


def _small(case: Case) -> bool:
    params, shape = case.params, case.input_shape
    elements = params.activations(shape) + math.prod(shape)
    return elements <= MOST_ELEMENTS and case.multiply_adds <= MOST_MULTIPLY_ADDS


ORACLE: Final = Oracle(NAME, judge, calls, level=Level.STATE, every=_EVERY, priority=Priority.OWN_CALLS, of_state=True)
