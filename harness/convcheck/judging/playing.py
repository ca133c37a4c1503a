"""Playing a history: its steps are put to a fresh candidate one after the other, and each is judged on exact integers.

A step that is wrong where it is the first call of a fresh candidate as well is no matter of state: the oracles of
single cases see it. Of calls that several threads make at the same time every result is judged, and the step is right
if all of them are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Final, TypeAlias

import numpy as np

from convcheck.execution import Candidate
from convcheck.model.calls import Died, Hung, Operation, Outcome, Raised, Returned
from convcheck.model.capabilities import Capabilities
from convcheck.model.history import History, Step, has_threads
from convcheck.model.profiles import QUANTITIES, Quantity
from convcheck.model.verdicts import FAILURES, Status, Verdict
from convcheck.oracles import CALL, Trial
from convcheck.oracles.memory import OWN_RESULTS
from convcheck.oracles.state import CLAUSE, NAME
from convcheck.oracles.support.judged_call import Array, JudgedCall, stale
from convcheck.tensors.values import integer_values

Ask: TypeAlias = Callable[[Step], JudgedCall]
"""Makes the call of a step."""

_REMEMBERED: Final = 64
"""Steps whose tensors and expected results are kept: histories come back to their steps, and shrinking to histories."""


TIMES: Final = 5
"""How often in a row each of several threads makes its call: a small kernel has returned once before another starts."""


_TRIES: Final = 10
"""Plays of a history with threads that have to pass for it to count as right: a race may show in one of seven."""


def number_of_calls(step: Step) -> int:
    """Calls of the candidate in a step."""
    return TIMES * len(step.calls) if step.beside else step.times


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
        """Make the next step's calls: a verdict on each kind of result, or on a call that has none."""
        calls = [self._ask(call) for call in step.calls]
        if step.beside:
            outcomes = self._candidate.call_at_once([(call.call,) * TIMES for call in calls])
        else:
            outcomes = [(self._candidate.call(replace(calls[0].call, times=step.times)),)]
        made = [(call, outcome) for call, each in zip(calls, outcomes, strict=True) for outcome in each]
        if not_back := next(filter(None, (_not_back(outcome) for _, outcome in made)), None):
            return (not_back,)
        given_twice = bool(step.beside) and any(isinstance(o, Returned) and o.aliased for _, o in made)
        clauses = (CLAUSE, OWN_RESULTS) if given_twice else (CLAUSE,)
        found = [
            verdict
            for call, outcome in made
            for verdict in self._judged(call, outcome, [o for other, o in made if other is not call], clauses)
        ]
        return _worst(found)

    def _judged(
        self, call: JudgedCall, outcome: Outcome, beside: Sequence[Outcome], clauses: tuple[str, ...]
    ) -> list[Verdict]:
        """The verdicts on the results of one call, beside which others had these outcomes."""
        found: dict[str, Verdict] = {}
        # near the largest float64 sums of magnitudes overflow; what they bound is then not judged
        with np.errstate(over="ignore", invalid="ignore"):
            for quantity, got, compared in (*call.judged(outcome), *call.judged_again(outcome)):
                earlier = self._earlier.setdefault(quantity, [])
                wrong = compared.status is not Status.PASS
                whose = (_of_another_thread(got, quantity, beside) or stale(got, earlier)) if wrong else ""
                reason = f"{quantity} is wrong{_which(call, outcome, got, quantity)}{whose}" if wrong else ""
                status = compared.status if wrong or compared.judged else Status.VACUOUS
                judged = Verdict(NAME, quantity, status, clauses, reason, evidence=compared.evidence)
                found[quantity] = min(found.get(quantity, judged), judged, key=_severity)
                earlier.append(got)
        for quantity in call.quantities:
            if quantity not in found and call.trial.array(outcome, quantity) is None:
                reason = f"{quantity} has not the shape and dtype of the contract"
                found[quantity] = Verdict(NAME, quantity, Status.FAIL, (CLAUSE,), reason)
        return list(found.values())


def _worst(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """One verdict on each quantity: the first that says that it is wrong, else the first that says that it is right."""
    found: dict[str, Verdict] = {}
    for verdict in verdicts:
        found[verdict.quantity] = min(found.get(verdict.quantity, verdict), verdict, key=_severity)
    return tuple(found.values())


def _severity(verdict: Verdict) -> int:
    if verdict.status in FAILURES:
        return 0
    return 1 if verdict.status is Status.PASS else 2


def _which(call: JudgedCall, outcome: Outcome, got: Array, quantity: Quantity) -> str:
    """Of a call that was made many times, from which answer on a result is wrong, in words."""
    if not isinstance(outcome, Returned) or not outcome.others or got is call.trial.array(outcome, quantity):
        return ""
    return f" in {outcome.others} of its answers, the first of them number {outcome.first_other}"


def _of_another_thread(got: Array, quantity: str, beside: Sequence[Outcome]) -> str:
    """The end of a sentence on a wrong result: whether it is that of another call at the same time."""
    others = [outcome.arrays.get(quantity) for outcome in beside if isinstance(outcome, Returned)]
    same = any(other is not None and np.array_equal(got, other) for other in others)
    return ": it is the result of another thread's call" if same else ""


def _not_back(outcome: Outcome) -> Verdict | None:
    """The verdict on a call from which nothing came back."""
    if isinstance(outcome, Raised):
        reason = f"a legal call raised {outcome.kind}: {outcome.message}"
        return Verdict(NAME, CALL, Status.WRONGLY_REFUSED, (CLAUSE,), reason)
    if isinstance(outcome, Died):
        return Verdict(NAME, CALL, Status.CRASHED, (CLAUSE,), outcome.ended)
    if isinstance(outcome, Hung):
        return Verdict(NAME, CALL, Status.HUNG, (CLAUSE,), f"no result within {outcome.limit:g} s")
    return None


def failing(verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    """The verdicts that say that something is wrong."""
    return tuple(verdict for verdict in verdicts if verdict.status in FAILURES)


def of_state(candidate: Candidate, ask: Ask, wrong: tuple[Verdict, ...], history: History) -> Verdict | None:
    """The first of the failing verdicts on the last step of a history that is none where a call of it is the only one.

    Args:
        candidate: it is restarted, unless the history is one call.
        ask: makes the calls.
        wrong: what is wrong with the last step.
        history: the calls that have been made.
    """
    if not wrong or (len(history) < 2 and not has_threads(history) and history[0].times == 1):
        return None
    once = [replace(call, times=1) for call in history[-1].calls]
    by_itself = [v for call in once for v in failing(Playing(candidate, ask).make(call))]
    if any(verdict.quantity == CALL for verdict in by_itself):
        return None
    found = next((v for v in wrong if v.quantity not in {alone.quantity for alone in by_itself}), None)
    if found is None:
        return None
    return replace(found, reason=f"in {_where(history)}, and right where it is the only one, {found.reason}")


def _where(history: History) -> str:
    """The last call of a history, in words."""
    threads, steps = len(history[-1].calls), len(history)
    if threads == 1:
        return f"the last of {sum(map(number_of_calls, history))} calls"
    return f"one of {threads} calls from as many threads at once" + (f", the last of {steps} steps" * (steps > 1))


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a history.

    Attributes:
        verdicts: of each step, up to the first that is wrong.
        failure: by which the last of these steps fails because of those before; None if it does not.
    """

    verdicts: tuple[tuple[Verdict, ...], ...]
    failure: Verdict | None = None


NOT_THREAD_SAFE: Final = "calls from several threads at once are not declared"
"""Why steps with threads are not applicable."""


def unplayable(capabilities: Capabilities, history: History) -> tuple[Step, str] | None:
    """The first step that a candidate is not asked for, and why; None if there is none."""
    found = ((step, _unsupported(capabilities, step)) for step in history)
    return next(((step, reason) for step, reason in found if reason), None)


def _unsupported(capabilities: Capabilities, step: Step) -> str | None:
    if step.beside and not capabilities.thread_safe:
        return NOT_THREAD_SAFE
    for call in step.calls:
        if reason := capabilities.unsupported(call.case):
            return reason
        if call.operation is Operation.BACKWARD and not capabilities.gradients:
            return "gradients are not declared"
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


def plays(candidate: Candidate, history: History, ask: Ask | None = None) -> Iterator[Played]:
    """Play a history, one with threads until it fails or has passed some times: a race does not show every time."""
    for _ in range(_TRIES if has_threads(history) else 1):
        played = play(candidate, history, ask)
        yield played
        if failing(played.verdicts[-1]):
            return


def play_until_it_fails(candidate: Candidate, history: History, ask: Ask | None = None) -> Played:
    """What came of the last of its `plays`."""
    *_, last = plays(candidate, history, ask)
    return last
