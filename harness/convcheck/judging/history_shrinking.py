"""Shrinking a failing history where Hypothesis does not: threads first, which are no matter where it fails without.

Calls of several threads that one thread makes one after the other are simpler, however many steps that takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TypeAlias

from convcheck.execution import Candidate
from convcheck.judging.playing import TIMES, Ask, play_until_it_fails, remembering
from convcheck.model.history import History, Step
from convcheck.model.verdicts import Verdict

_Failing: TypeAlias = tuple[History, Verdict]
"""A history whose last step fails, with its verdict."""


def shrunk(candidate: Candidate, history: History, verdict: Verdict, ask: Ask | None = None) -> _Failing:
    """A failing history without the threads and the steps that it fails without; the same quantity stays wrong."""
    ask = ask or remembering(candidate.capabilities)
    return with_fewest_steps(candidate, *with_fewest_threads(candidate, history, verdict, ask), ask)


def with_fewest_threads(candidate: Candidate, history: History, verdict: Verdict, ask: Ask | None = None) -> _Failing:
    """A failing history in which fewer calls are made at the same time, where it fails so as well."""
    ask = ask or remembering(candidate.capabilities)
    at = 0
    while at < len(history):
        others = (history[:at] + steps + history[at + 1 :] for steps in _with_fewer_threads(history[at]))
        found = next(filter(None, (_fails(candidate, other, verdict.quantity, ask) for other in others)), None)
        history, verdict = found or (history, verdict)
        at = 0 if found else at + 1
    return history, verdict


def with_fewest_steps(candidate: Candidate, history: History, verdict: Verdict, ask: Ask | None = None) -> _Failing:
    """A failing history without the steps that it fails without, and its verdict.

    Every step says all of its call, so that any of them can be left out. One after the other is, the earliest
    first, until none can be; the quantity that is wrong stays the same.
    """
    ask = ask or remembering(candidate.capabilities)
    at = 0
    while at < len(history) - 1:
        found = _fails(candidate, history[:at] + history[at + 1 :], verdict.quantity, ask)
        history, verdict = found or (history, verdict)
        at = 0 if found else at + 1
    return history, verdict


def _with_fewer_threads(step: Step) -> Iterator[History]:
    """What may stand for a step with threads, the simplest first: one thread, in either order, or a thread less."""
    calls = step.calls
    if not step.beside:
        return
    yield calls * TIMES
    yield calls[::-1] * TIMES
    if len(calls) > 2:
        yield from ((Step.at_once(fewer),) for fewer in combinations(calls, len(calls) - 1))


def _fails(candidate: Candidate, history: History, quantity: str, ask: Ask) -> _Failing | None:
    """The history up to its first step that is wrong, if the quantity is because of the steps before or of threads."""
    played = play_until_it_fails(candidate, history, ask)
    if played.failure is None or played.failure.quantity != quantity:
        return None
    return history[: len(played.verdicts)], played.failure
