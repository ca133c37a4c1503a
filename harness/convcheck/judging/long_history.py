"""One candidate through the whole run: a long history of small layers, each called many times.

Every part of a run meets a fresh candidate, so that what takes thousands of calls to go wrong cannot show in any. The
steps of this history follow from the seed and their numbers, and it is a part of its own, so that it is the same
whoever judges it. What fails is looked at when it is over: the simplest history that fails too is looked for, the last
step alone as often as all that were made first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from convcheck.execution import Candidate
from convcheck.judging.judge import Excluded, nothing_excluded
from convcheck.judging.playing import Ask, Playing, failing, number_of_calls, play, remembering
from convcheck.judging.tally import Failure, Tally
from convcheck.model.calls import Operation
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.history import History, Step
from convcheck.model.levels import Level
from convcheck.model.origins import Origin
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles import CALL
from convcheck.oracles.state import CLAUSE
from convcheck.strategies.draws import from_key, pick
from convcheck.strategies.neighbours import SEEDS, first_layer

TIMES: Final = 40
"""Calls of a step of a small layer: a hundred steps, for a thousand cases, are some 3,000 calls."""

_MOST_MULTIPLY_ADDS: Final = 10_000
"""Of a layer that is called so often; larger ones are called once."""

_DRAWS: Final = 4
"""Layers that are drawn for each step: the first that is small enough is taken."""

_AGAIN: Final = 4
"""One step in so many comes back to the layer of an earlier one, with other contents."""

_LOOKED_AT: Final = 5
"""Failing steps, the first, that are tried alone: a layer that is wrong by itself is no matter of state."""

_MOST_CALLS: Final = 60_000
"""Calls for finding a simpler history: seconds for a small kernel."""


def long_history(
    capabilities: Capabilities, dtypes: tuple[str, ...] | None = None, *, run_seed: int, number: int, size: int
) -> Iterator[Step]:
    """The steps; a shorter history begins like a longer one.

    Args:
        capabilities: what is drawn at all.
        dtypes: restricts the dtypes further.
        run_seed: of the whole run.
        number: of the history: another number gives another.
        size: number of steps.
    """
    steps: list[Step] = []
    for at in range(size):
        draw = from_key(f"long history {run_seed} {number} {at}")
        if at % _AGAIN == _AGAIN - 1:
            step = pick(draw, steps).of_data(draw(0, SEEDS))
        else:
            backward = capabilities.gradients and draw(0, 3) == 3
            operation = Operation.BACKWARD if backward else Operation.FORWARD
            layers = [first_layer(draw, capabilities, dtypes) for _ in range(_DRAWS)]
            step = Step.of(next(filter(_is_small, layers), layers[0]), operation)
        steps.append(replace(step, times=TIMES if _is_small(step.case) else 1))
        yield steps[-1]


def _is_small(case: Case) -> bool:
    return case.multiply_adds <= _MOST_MULTIPLY_ADDS


def judge_long_history(
    candidate: Candidate,
    block: int,
    *,
    run_seed: int,
    number: int,
    size: int,
    clause: str | None = None,
    dtypes: tuple[str, ...] | None = None,
    excluded: Excluded = nothing_excluded,
) -> Tally:
    """Make the calls of a long history, and judge each step; the first that is a matter of state is a failure.

    Args:
        candidate: it is restarted once, before the first step.
        block: the index of the part of the run.
        run_seed: of the whole run.
        number: of the history.
        size: number of steps.
        clause: only verdicts on this clause count; None for all.
        dtypes: restricts the dtypes further.
        excluded: failures that are known, and are passed over.
    """
    tally, known = Tally(), candidate.capabilities
    if clause not in (None, CLAUSE) or not set(dtypes or known.dtypes) & set(known.dtypes):
        return tally
    start = time.perf_counter()
    ask = remembering(known)
    steps = tuple(long_history(known, dtypes, run_seed=run_seed, number=number, size=size))
    playing, wrong, passed = Playing(candidate, ask), dict[int, Verdict](), 0
    for at, step in enumerate(steps):
        verdicts = playing.make(step)
        right = [verdict.quantity for verdict in verdicts if verdict.status is Status.PASS]
        passed += bool(right)
        tally.calls.update(dict.fromkeys(right, number_of_calls(step)))
        found = [verdict for verdict in failing(verdicts) if not excluded(step.case, verdict)]
        wrong |= {at: found[0]} if found else {}
        if any(verdict.quantity == CALL for verdict in found):
            break  # what died or hung is no longer the same candidate
    tally.origins[Origin.LONG_HISTORY] = len(steps)
    for at, verdict in list(wrong.items())[:_LOOKED_AT]:
        if _once(candidate, ask, steps[at], verdict):
            shown, said = _simplest(candidate, ask, steps[: at + 1], verdict)
            tally.failures.append(Failure(block, at, shown[-1].case, said, Origin.LONG_HISTORY, shown))
            break
    if not tally.failures:
        ended = (CLAUSE, Status.VACUOUS, "a call of the history is wrong by itself, or in a way that is known")
        vacuous = (CLAUSE, Status.VACUOUS, "no result of the history is exact under the declared profile")
        tally.counts[ended if wrong else (CLAUSE, Status.PASS, "") if passed else vacuous] = 1
        tally.levels.update({(Level.STATE, ""): 1} if passed and not wrong else {})
    tally.seconds["judging"] += time.perf_counter() - start
    return tally


def _once(candidate: Candidate, ask: Ask, step: Step, verdict: Verdict) -> bool:
    """Whether what is wrong in a step is right where its call is the only one of a fresh candidate."""
    alone = failing(Playing(candidate, ask).make(replace(step, times=1)))
    return not any(found.quantity in (verdict.quantity, CALL) for found in alone)


def _simplest(candidate: Candidate, ask: Ask, steps: History, verdict: Verdict) -> tuple[History, Verdict]:
    """The simplest history that was found to fail like a long one, with its verdict; that one if none does."""
    calls, left = sum(map(number_of_calls, steps)), _MOST_CALLS
    last = steps[-1]

    def fails(history: History) -> Verdict | None:
        nonlocal left
        left -= sum(map(number_of_calls, history))
        found = play(candidate, history, ask).failure if left > 0 else None
        return found if found is not None and found.quantity == verdict.quantity else None

    # the same call as often, every layer once, the layers as often as they were called
    tried: tuple[Callable[[int], History], ...] = (
        lambda number: (replace(last, times=number),),
        lambda number: (*(replace(step, times=1) for step in steps[:-1][-number:]), last),
        lambda number: (*steps[:-1][-number:], last),
    )
    for make, most in zip(tried, (calls, len(steps) - 1, len(steps) - 1), strict=True):
        if most and (said := fails(make(most))) is not None:
            number, said = _least(lambda number, make=make: fails(make(number)), most, said)  # type: ignore[misc]
            return make(number), said
    return steps, replace(verdict, reason=f"in the last of {calls} calls of one candidate, {verdict.reason}")


def _least(fails: Callable[[int], Verdict | None], most: int, said: Verdict) -> tuple[int, Verdict]:
    """The smallest number for which something fails that fails for the largest, if it does for all between."""
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        found = fails(middle)
        low, high, said = (middle, high, said) if found is None else (low, middle, found)
    return high, said
