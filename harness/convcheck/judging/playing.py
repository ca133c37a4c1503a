"""Playing a history: its steps are put to a fresh candidate one after the other, and each is judged on exact integers.

A step that is wrong where it is the first call of a fresh candidate as well is no matter of state: the oracles of
single cases see it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Final, TypeAlias

import numpy as np

from convcheck.execution import Candidate
from convcheck.model.calls import Died, Hung, Operation, Outcome, Raised
from convcheck.model.capabilities import Capabilities
from convcheck.model.history import History, Step
from convcheck.model.profiles import QUANTITIES
from convcheck.model.verdicts import FAILURES, Status, Verdict
from convcheck.oracles import CALL, Trial
from convcheck.oracles.state import CLAUSE, NAME
from convcheck.oracles.support.judged_call import Array, JudgedCall, stale
from convcheck.tensors.values import integer_values

Ask: TypeAlias = Callable[[Step], JudgedCall]
"""Makes the call of a step."""

_REMEMBERED: Final = 64
"""Steps whose tensors and expected results are kept: histories come back to their steps, and shrinking to histories."""


def remembering(capabilities: Capabilities) -> Ask:
    """Makes the calls of a candidate's steps; the last of them are remembered."""
    return lru_cache(_REMEMBERED)(partial(asked, capabilities))


def asked(capabilities: Capabilities, step: Step) -> JudgedCall:
    """The call of a step, on exact integers: each tensor is drawn from its own seed."""
    profiles = {q: capabilities.promised(step.case, q) for q in QUANTITIES}
    values = integer_values(step.case, profiles, step.seeds)
    return JudgedCall(Trial(step.case, capabilities), values, step.operation)


class Playing:
    """A history in the making.

    Args:
        candidate: it is restarted.
        ask: makes the calls.
    """

    def __init__(self, candidate: Candidate, ask: Ask) -> None:
        self._candidate = candidate
        self._ask = ask
        self._earlier: dict[str, list[Array | None]] = {}
        candidate.restart()

    def make(self, step: Step) -> tuple[Verdict, ...]:
        """Make the next step's call: a verdict on each of its results, or on the call if it has none."""
        call = self._ask(step)
        outcome = self._candidate.call(call.call)
        if not_back := _not_back(outcome):
            return (not_back,)
        return tuple(self._judged(call, outcome))

    def _judged(self, call: JudgedCall, outcome: Outcome) -> list[Verdict]:
        found = {}
        # near the largest float64 sums of magnitudes overflow; what they bound is then not judged
        with np.errstate(over="ignore", invalid="ignore"):
            for quantity, got, compared in call.judged(outcome):
                earlier = self._earlier.setdefault(quantity, [])
                wrong = compared.status is not Status.PASS
                reason = f"{quantity} is wrong{stale(got, earlier)}" if wrong else ""
                status = compared.status if wrong or compared.judged else Status.VACUOUS
                found[quantity] = Verdict(NAME, quantity, status, (CLAUSE,), reason, evidence=compared.evidence)
                earlier.append(got)
        for quantity in call.quantities:
            if quantity not in found and call.trial.array(outcome, quantity) is None:
                reason = f"{quantity} has not the shape and dtype of the contract"
                found[quantity] = Verdict(NAME, quantity, Status.FAIL, (CLAUSE,), reason)
        return list(found.values())


def _not_back(outcome: Outcome) -> Verdict | None:
    """The verdict on a call from which nothing came back."""
    if isinstance(outcome, Raised):
        reason = f"a legal call raised {outcome.kind}: {outcome.message}"
        return Verdict(NAME, CALL, Status.WRONGLY_REFUSED, (CLAUSE,), reason)
    if isinstance(outcome, Died):
        return Verdict(NAME, CALL, Status.CRASHED, (CLAUSE,), f"the candidate's process ended: {outcome.how}")
    if isinstance(outcome, Hung):
        return Verdict(NAME, CALL, Status.HUNG, (CLAUSE,), f"no result within {outcome.limit:g} s")
    return None


def failing(verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    """The verdicts that say that something is wrong."""
    return tuple(verdict for verdict in verdicts if verdict.status in FAILURES)


def of_state(candidate: Candidate, ask: Ask, wrong: tuple[Verdict, ...], history: History) -> Verdict | None:
    """The first of the failing verdicts on the last step of a history that is none where it is the only call.

    Args:
        candidate: it is restarted, unless the history is that one call.
        ask: makes the calls.
        wrong: what is wrong with the last step.
        history: the calls that have been made.
    """
    if len(history) < 2 or not wrong:
        return None
    by_itself = failing(Playing(candidate, ask).make(history[-1]))
    if any(verdict.quantity == CALL for verdict in by_itself):
        return None
    found = next((v for v in wrong if v.quantity not in {alone.quantity for alone in by_itself}), None)
    if found is None:
        return None
    where = f"the last of {len(history)} calls, and right where it is the only one"
    return replace(found, reason=f"in {where}, {found.reason}")


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a history.

    Attributes:
        verdicts: of each step, up to the first that is wrong.
        failure: by which the last of these steps fails because of those before; None if it does not.
    """

    verdicts: tuple[tuple[Verdict, ...], ...]
    failure: Verdict | None = None


def unplayable(capabilities: Capabilities, history: History) -> tuple[Step, str] | None:
    """The first step that a candidate is not asked for, and why; None if there is none."""
    for step in history:
        reason = capabilities.unsupported(step.case)
        if reason is None and step.operation is Operation.BACKWARD and not capabilities.gradients:
            reason = "gradients are not declared"
        if reason is not None:
            return step, reason
    return None


def play(candidate: Candidate, history: History, ask: Ask | None = None) -> Played:
    """Put a history to a fresh candidate, up to the first step that is wrong."""
    ask = ask or remembering(candidate.capabilities)
    playing = Playing(candidate, ask)
    verdicts: list[tuple[Verdict, ...]] = []
    for number, step in enumerate(history, 1):
        verdicts.append(playing.make(step))
        if wrong := failing(verdicts[-1]):
            return Played(tuple(verdicts), of_state(candidate, ask, wrong, history[:number]))
    return Played(tuple(verdicts))


def with_fewest_steps(
    candidate: Candidate, history: History, verdict: Verdict, ask: Ask | None = None
) -> tuple[History, Verdict]:
    """A failing history without the steps that it fails without, and its verdict.

    Every step says all of its call, so that any of them can be left out. One after the other is, the earliest
    first, until none can be; the quantity that is wrong stays the same.
    """
    ask = ask or remembering(candidate.capabilities)
    at = 0
    while at < len(history) - 1:
        fewer = history[:at] + history[at + 1 :]
        played = play(candidate, fewer, ask)
        if played.failure is not None and played.failure.quantity == verdict.quantity:
            history, verdict, at = fewer[: len(played.verdicts)], played.failure, 0
        else:
            at += 1
    return history, verdict
