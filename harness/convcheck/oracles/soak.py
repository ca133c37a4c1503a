"""Many calls: a small layer is called a thousand times in the same buffers, so that a rare wrong call shows.

A race or uninitialised memory gives a wrong result now and then; so does a counter that wraps around.
The contents change among a few, whose exact results are known. With each of them the call is made many times where the
candidate is, and an answer with other bits than the first comes back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from convcheck.model.calls import Call, Operation, Outcome, Returned
from convcheck.model.levels import Level
from convcheck.model.profiles import QUANTITIES, Quantity
from convcheck.model.verdicts import Evidence, Status, Verdict
from convcheck.oracles.oracle import Oracle, Priority
from convcheck.oracles.support.judged_call import JudgedCall
from convcheck.oracles.support.trial import Trial

NAME = "soak"
CLAUSE = "C2D-PURE-4"

ROUNDS: Final = 5
"""How often the contents change back to the first."""

TIMES: Final = 50
"""Calls with the same contents, one right after the other."""

_EVERY: Final = 60
"""About six in ten cases are small enough, so that a run of 250 cases soaks none with a probability of one in ten."""

MOST_MULTIPLY_ADDS: Final = 20_000
MOST_ELEMENTS: Final = 4_000
"""Of input and output together: every change of the contents crosses to the candidate, and a result back."""


def calls(trial: Trial) -> dict[str, Call]:
    """The calls, numbered; none where they would cost too much."""
    params, shape = trial.case.params, trial.case.input_shape
    elements = params.activations(shape) + trial.integers.x.size
    if trial.case.batch == 0 or elements > MOST_ELEMENTS or trial.case.multiply_adds > MOST_MULTIPLY_ADDS:
        return {}
    return {str(number): replace(asked.call, times=TIMES) for number, asked in enumerate(_asked(trial))}


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge every call's results on exact integers (clause C2D-PURE-4), one verdict a quantity."""
    if trial.outcome(NAME, "0") is None:
        return
    made, judged, wrong = Counter[Quantity](), Counter[Quantity](), dict[Quantity, list[_Wrong]]()
    for number, call in enumerate(_asked(trial)):
        outcome = trial.outcome(NAME, str(number))
        for quantity in call.quantities:
            wrong.setdefault(quantity, []).extend(_wrong(call, outcome, quantity, made[quantity]))
            made[quantity] += TIMES
        judged.update(quantity for quantity, _, compared in call.judged(outcome) if compared.judged)
    for quantity, some in wrong.items():
        if some:
            first, number = some[0], sum(each.how_many for each in some)
            reason = f"{number} of {made[quantity]} calls are wrong, the first is number {first.number}"
            yield Verdict(NAME, quantity, first.status, (CLAUSE,), reason, evidence=first.evidence)
        else:
            reason = "" if judged[quantity] else "no call has a result that is exact under the declared profile"
            status = Status.VACUOUS if reason else Status.PASS
            yield Verdict(NAME, quantity, status, (CLAUSE,), reason, calls=TIMES * judged[quantity])


@dataclass(frozen=True, slots=True)
class _Wrong:
    """What is wrong with some of the answers to one call.

    Attributes:
        number: of the first of them, among the calls that give a quantity, counted from 1.
        how_many: they are.
        status: of the first of them.
        evidence: of its elements.
    """

    number: int
    how_many: int
    status: Status = Status.FAIL
    evidence: Evidence | None = None


def _wrong(call: JudgedCall, outcome: Outcome | None, quantity: Quantity, before: int) -> Iterator[_Wrong]:
    """What is wrong with one quantity of the answers to a call, before which others gave it."""
    if not isinstance(outcome, Returned):
        return  # which is judged as a call
    if call.trial.array(outcome, quantity) is None:
        yield _Wrong(before + 1, TIMES)
    others = [q for q in QUANTITIES if q != quantity]
    for _, _, compared in call.judged(outcome, but=others):
        if compared.status is not Status.PASS:
            yield _Wrong(before + 1, TIMES - outcome.others, compared.status, compared.evidence)
    for found, _, compared in call.judged_again(outcome):
        if found == quantity and compared.status is not Status.PASS:
            yield _Wrong(before + outcome.first_other, outcome.others, compared.status, compared.evidence)


def _asked(trial: Trial) -> tuple[JudgedCall, ...]:
    """Both draws of the case, with each other's weight as well, forward, and one of them backward, again and again."""
    a, b = trial.integers, trial.other_integers
    contents = a, b, replace(a, weight=b.weight), replace(b, weight=a.weight)
    once = [JudgedCall(trial, values) for values in contents]
    back = [JudgedCall(trial, values, Operation.BACKWARD) for values in contents if trial.capabilities.gradients]
    return tuple(call for number in range(ROUNDS) for call in (*once, *back[number % 4 : number % 4 + 1]))


ORACLE: Final = Oracle(NAME, judge, calls, level=Level.STATE, every=_EVERY, priority=Priority.OWN_CALLS, of_state=True)
