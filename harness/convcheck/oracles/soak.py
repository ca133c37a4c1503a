"""Many calls: a small layer is called some hundred times in the same buffers, so that a rare wrong call shows.

A race or uninitialised memory gives a wrong result now and then; so does a counter that wraps around.
The contents change from call to call among a few, whose exact results are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from convcheck.model.calls import Call, Operation
from convcheck.model.levels import Level
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.exact import compare_integers
from convcheck.oracles.oracle import Oracle, Priority
from convcheck.oracles.support.compare import Comparison
from convcheck.oracles.support.expected import Expected
from convcheck.oracles.support.trial import Trial
from convcheck.tensors.values import Values

NAME = "soak"
CLAUSE = "C2D-PURE-4"

CALLS: Final = 200
"""Enough for what goes wrong once in a hundred calls."""

_EVERY: Final = 60
"""About six in ten cases are small enough, so that a run of 250 cases soaks none with a probability of one in ten."""

MOST_MULTIPLY_ADDS: Final = 20_000
MOST_ELEMENTS: Final = 4_000
"""Of input and output together: every call's tensors cross to the candidate and back."""


def calls(trial: Trial) -> dict[str, Call]:
    """The calls, numbered; none where they would cost too much."""
    params, shape = trial.case.params, trial.case.input_shape
    elements = params.activations(shape) + trial.integers.x.size
    if trial.case.batch == 0 or elements > MOST_ELEMENTS or params.multiply_adds(shape) > MOST_MULTIPLY_ADDS:
        return {}
    once = [trial.call(Operation.FORWARD, values, "reused") for values in _contents(trial)]
    return {str(number): once[number % len(once)] for number in range(CALLS)}


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge the output of every call on exact integers (clause C2D-PURE-4)."""
    if trial.outcome(NAME, "0") is None:
        return
    expected = [Expected(trial.case, values) for values in _contents(trial)]
    profile = trial.capabilities.promised(trial.case, "output")
    wrong: list[tuple[int, Comparison]] = []
    judged = 0
    for number in range(CALLS):
        got = trial.array(trial.outcome(NAME, str(number)), "output")
        if got is None:
            continue
        found = compare_integers(got, expected[number % len(expected)], "output", profile)
        judged += bool(found.judged)
        if found.status is not Status.PASS:
            wrong.append((number, found))
    if wrong:
        first, found = wrong[0]
        reason = f"{len(wrong)} of {CALLS} calls are wrong, the first is number {first + 1}"
        yield Verdict(NAME, "output", found.status, (CLAUSE,), reason, evidence=found.evidence)
    else:
        reason = "" if judged else "no call has a result that is exact under the declared profile"
        yield Verdict(NAME, "output", Status.PASS if judged else Status.VACUOUS, (CLAUSE,), reason)


def _contents(trial: Trial) -> tuple[Values, ...]:
    """Both draws of the case, with each other's weight as well."""
    a, b = trial.integers, trial.other_integers
    return a, b, replace(a, weight=b.weight), replace(b, weight=a.weight)


ORACLE: Final = Oracle(NAME, judge, calls, level=Level.STATE, every=_EVERY, priority=Priority.OWN_CALLS, of_state=True)
