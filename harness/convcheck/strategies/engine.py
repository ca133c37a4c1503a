"""Examples of a strategy, drawn and handed out one by one by Hypothesis' engine."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from hypothesis import HealthCheck, Phase, Verbosity, given, reject, seed, settings
from hypothesis.internal.escalation import current_pytest_item
from hypothesis.statistics import collector
from hypothesis.strategies import SearchStrategy

from convcheck.strategies.draws import Draw
from convcheck.strategies.provider import answering

Value = TypeVar("Value")


def own_settings(
    *,
    backend: str,
    max_examples: int,
    phases: tuple[Phase, ...],
    stateful_step_count: int = 1,
    verbosity: Verbosity = Verbosity.quiet,
) -> settings:
    """Settings of a run of our own: each is given, so that none comes from a profile or from a test around it.

    Args:
        backend: who answers the choices.
        max_examples: test cases.
        phases: of Hypothesis.
        stateful_step_count: steps of a history.
        verbosity: of Hypothesis; what it prints is seldom for the user of a run.
    """
    return settings(
        backend=backend,
        max_examples=max_examples,
        phases=phases,
        stateful_step_count=stateful_step_count,
        verbosity=verbosity,
        database=None,
        deadline=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        # of the machine, which may be busy, and of what is rejected, which are repetitions: neither may end a run
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much),
    )


@contextmanager
def apart() -> Iterator[None]:
    """What Hypothesis does within is no part of the test around it: neither in its statistics nor its report."""
    with collector.with_value(None), current_pytest_item.with_value(None):
        yield


class Ended(BaseException):
    """Ends a test from within: Hypothesis runs it again after an `Exception`, and wraps that in others."""


def for_each(strategy: SearchStrategy[Value], draws: Sequence[Draw], do: Callable[[Value], object]) -> None:
    """Let Hypothesis' engine generate one example from each of `draws`, and hand it to `do`.

    Raises:
        Exception: what `do` raises, as it is; no further example is drawn.
    """
    taken = _Taken(draws)

    def test(value: Value) -> None:
        if not taken.fresh:
            reject()  # the simplest example of all, which the engine tries before any other
        taken.fresh = False
        do(value)

    if draws:
        with answering(taken) as backend:
            run(
                strategy,
                test,
                own_settings(backend=backend, max_examples=len(draws), phases=(Phase.generate,)),
            )


def run(strategy: SearchStrategy[Value], test: Callable[[Value], object], how: settings, *, key: int = 0) -> None:
    """Run a test of one argument by Hypothesis' engine; what it raises comes out as it is, and ends the run.

    Args:
        strategy: of the argument.
        test: may call whatever a test of Hypothesis may.
        how: `own_settings`.
        key: of the engine's choices.
    """
    chance = _Chance()

    @seed(key)
    @how
    @given(strategy)
    def run_test(value: Any) -> None:
        try:
            with chance:
                test(value)
        except Exception as error:
            if type(error).__module__.startswith("hypothesis"):
                raise
            raise Ended from error

    try:
        with apart():
            run_test()
    except Ended as ended:
        cause = ended.__cause__
        assert cause is not None
        raise cause from cause.__cause__


class _Chance:
    """The global generators as they were outside of Hypothesis, which seeds them alike before every example.

    A candidate in this process that draws from them would do the same in all cases.
    """

    def __init__(self) -> None:
        self._outer = _states()

    def __enter__(self) -> None:
        _restore(self._outer)

    def __exit__(self, *_: object) -> None:
        self._outer = _states()  # Hypothesis puts back those from before the example


def _states() -> tuple[Any, Any]:
    return random.getstate(), np.random.get_state()  # noqa: NPY002  (the global generator is what it is about)


def _restore(states: tuple[Any, Any]) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002


class _Taken(Iterator[Draw]):
    """Draws, with whether one has been taken since the last example."""

    def __init__(self, draws: Sequence[Draw]) -> None:
        self._left = iter(draws)
        self.fresh = False

    def __next__(self) -> Draw:
        self.fresh = True
        return next(self._left)
