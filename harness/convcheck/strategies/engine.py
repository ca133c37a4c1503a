"""Examples of a strategy, drawn and handed out one by one by Hypothesis' engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

from hypothesis import HealthCheck, Phase, given, reject, seed, settings
from hypothesis.strategies import SearchStrategy

from convcheck.strategies.draws import Draw
from convcheck.strategies.provider import answering

Value = TypeVar("Value")

BUSY: Final = (HealthCheck.too_slow,)
"""Health checks of the machine, and not of a strategy: a busy one must not end a run."""


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
                settings(
                    backend=backend,
                    max_examples=len(draws),
                    phases=(Phase.generate,),
                    database=None,
                    deadline=None,
                    suppress_health_check=BUSY,
                ),
            )


def run(strategy: SearchStrategy[Value], test: Callable[[Value], object], how: settings, *, key: int = 0) -> None:
    """Run a test of one argument by Hypothesis' engine; what it raises comes out as it is, and ends the run.

    Args:
        strategy: of the argument.
        test: may call whatever a test of Hypothesis may.
        how: settings.
        key: of the engine's choices.
    """

    @seed(key)
    @how
    @given(strategy)
    def run_test(value: Any) -> None:
        try:
            test(value)
        except Exception as error:
            if type(error).__module__.startswith("hypothesis"):
                raise
            raise Ended from error

    try:
        run_test()
    except Ended as ended:
        cause = ended.__cause__
        assert cause is not None
        raise cause from cause.__cause__


class _Taken(Iterator[Draw]):
    """Draws, with whether one has been taken since the last example."""

    def __init__(self, draws: Sequence[Draw]) -> None:
        self._left = iter(draws)
        self.fresh = False

    def __next__(self) -> Draw:
        self.fresh = True
        return next(self._left)
