"""Histories of calls by the state machine: run with a pinned seed, shrunk, and counted like cases."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

from hypothesis import Phase
from hypothesis import seed as seeded
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from convcheck.execution import Candidate
from convcheck.judging.history_machine import HistoryMachine
from convcheck.judging.history_search import MOST_CALLS, FailingHistoryError, Search
from convcheck.judging.history_shrinking import shrunk
from convcheck.judging.judge import Excluded, nothing_excluded
from convcheck.judging.playing import NOT_THREAD_SAFE, Ask, play, remembering
from convcheck.judging.tally import Failure, Tally
from convcheck.model.history import History, has_threads
from convcheck.model.levels import Level
from convcheck.model.origins import Origin
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.state import CLAUSE
from convcheck.strategies.draws import Draw, from_key
from convcheck.strategies.engine import apart, own_settings
from convcheck.strategies.provider import answering

STEPS: Final = 20
"""Calls of a history: a state that takes five calls shows in one of 20 far more often than in two of 10."""

_ATTEMPTS: Final = 3
"""Repetitions of a failing history, each on a fresh candidate, that have to fail for it to be steady."""


@dataclass(frozen=True, slots=True)
class FailingHistory:
    """The smallest failing history of a run.

    Attributes:
        history: its steps; the last is wrong because of those before it, or of other threads.
        verdict: on the last.
        repeats: whether it fails every time.
    """

    history: History
    verdict: Verdict
    repeats: bool


@dataclass(frozen=True, slots=True)
class Histories:
    """What a run of histories came to.

    Attributes:
        ran: histories of two calls or more, up to the first that failed.
        passed: those in which nothing was wrong.
        vacuous: those without a result that could be judged.
        ended: those that ended with a call that is wrong by itself, or in a way that is known.
        failing: the smallest that fails; None if none does.
    """

    ran: int
    passed: int
    vacuous: int
    ended: int
    failing: FailingHistory | None = None


def histories(
    candidate: Candidate,
    *,
    seed: int,
    number: int,
    size: int,
    steps: int = STEPS,
    dtypes: tuple[str, ...] | None = None,
    excluded: Excluded = nothing_excluded,
    most_calls: int = MOST_CALLS,
) -> Histories:
    """Put histories to a candidate until one fails, and find the smallest that does.

    Args:
        candidate: it is restarted before each history.
        seed: of the whole run.
        number: of the block of histories: another number gives others.
        size: number of histories.
        steps: calls of each.
        dtypes: restricts the dtypes further.
        excluded: failures that are known: they end a history, and no more.
        most_calls: that may be spent on shrinking.

    Raises:
        WorkerStartError: no fresh process of the candidate would start; whatever else it raises, as it is.
    """
    ask = remembering(candidate.capabilities)
    search = Search(candidate, ask, dtypes, excluded, calls_left=min(MOST_CALLS, most_calls))
    key = f"histories {seed} {number}"
    with answering(_draws(key)) as backend:
        failing = _searched(search, from_key(key)(0, 99), backend, size, steps)
    if search.error is not None:
        raise search.error
    found = None if failing is None else _smallest(candidate, ask, failing)
    return Histories(search.ran, search.passed, search.vacuous, search.ended, found)


def judge_histories(
    candidate: Candidate,
    block: int,
    *,
    run_seed: int,
    number: int,
    size: int,
    clause: str | None = None,
    dtypes: tuple[str, ...] | None = None,
    excluded: Excluded = nothing_excluded,
    most_calls: int = MOST_CALLS,
) -> Tally:
    """Judge some histories; the smallest that fails is a failure of its last step's case.

    Args:
        candidate: the candidate.
        block: the index of the part of the run.
        run_seed: of the whole run.
        number: of the histories in the run: another number gives others.
        size: how many.
        clause: only verdicts on this clause count; None for all.
        dtypes: restricts the dtypes further.
        excluded: failures that are known: they end a history, and no more.
        most_calls: that may be spent on shrinking.
    """
    tally = Tally()
    if clause not in (None, CLAUSE) or not set(dtypes or candidate.capabilities.dtypes) & set(
        candidate.capabilities.dtypes
    ):
        return tally
    start = time.perf_counter()
    found = histories(
        candidate, seed=run_seed, number=number, size=size, dtypes=dtypes, excluded=excluded, most_calls=most_calls
    )
    tally.origins[Origin.HISTORY] = found.ran
    tally.counts.update({(CLAUSE, Status.PASS, ""): found.passed} if found.passed else {})
    tally.levels.update({(Level.STATE, ""): found.passed} if found.passed else {})
    vacuous = (CLAUSE, Status.VACUOUS, "no result of the history is exact under the declared profile")
    tally.counts.update({vacuous: found.vacuous} if found.vacuous else {})
    ended = (CLAUSE, Status.VACUOUS, "a call of the history is wrong by itself, or in a way that is known")
    tally.counts.update({ended: found.ended} if found.ended else {})
    if not candidate.capabilities.thread_safe and found.ran:
        tally.counts[CLAUSE, Status.NOT_APPLICABLE, NOT_THREAD_SAFE] = found.ran
    if found.failing is not None:
        history, verdict = found.failing.history, found.failing.verdict
        tally.failures.append(Failure(block, found.ran - 1, history[-1].case, verdict, Origin.HISTORY, history))
    tally.seconds["judging"] += time.perf_counter() - start
    return tally


def _draws(key: str) -> Iterator[Draw]:
    return (from_key(f"{key} {number}") for number in count())


def _searched(search: Search, seed: int, backend: str, size: int, steps: int) -> FailingHistoryError | None:
    """The failure that Hypothesis comes back with; one that does not repeat is the shortest that was seen."""

    @seeded(seed)
    def machine() -> HistoryMachine:
        return HistoryMachine(search)

    examples = size + 1  # the simplest of all, which Hypothesis tries first, besides
    phases = (Phase.generate, Phase.shrink)
    chosen = own_settings(backend=backend, max_examples=examples, phases=phases, stateful_step_count=steps)
    try:
        with apart():
            run_state_machine_as_test(machine, settings=chosen)  # type: ignore[arg-type]  # any factory will do
    except FailingHistoryError as error:
        return error
    except Flaky:
        if search.error is None and not search.failures:
            raise
    if not search.failures:
        return None
    history = min(search.failures, key=len)
    return FailingHistoryError(history, search.failures[history])


def _smallest(candidate: Candidate, ask: Ask, found: FailingHistoryError) -> FailingHistory:
    """A failing history without needless steps and threads, where it repeats; a race need not, and is tried often."""
    history, verdict = found.history, found.verdict
    if verdict.status is Status.HUNG:  # each attempt takes the whole limit of a call
        return FailingHistory(history, verdict, _repeats(candidate, ask, history, attempts=1))
    if not has_threads(history) and not _repeats(candidate, ask, history):
        return FailingHistory(history, verdict, repeats=False)
    history, verdict = shrunk(candidate, history, verdict, ask)
    return FailingHistory(history, verdict, _repeats(candidate, ask, history))


def _repeats(candidate: Candidate, ask: Ask, history: History, attempts: int = _ATTEMPTS) -> bool:
    return all(play(candidate, history, ask).failure is not None for _ in range(attempts))
