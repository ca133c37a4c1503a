"""Shrinking by Hypothesis: a failing case as the numbers of a plain space, which the engine's own shrinker lowers.

Hypothesis is handed the failing case by a backend that answers nothing else, and shrinks it as it would shrink any
failing example. Seed, database and what the terminal shows do not depend on the run that it happens in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import repeat
from typing import Any, Final

from hypothesis import Phase, currently_in_test_context, given, seed
from hypothesis import strategies as st
from hypothesis.core import StateForActualGivenExecution

from convcheck.model.case import Case
from convcheck.strategies.draws import Draw
from convcheck.strategies.engine import Ended, apart, own_settings
from convcheck.strategies.plain import PlainSpace
from convcheck.strategies.plain_fields import FIELDS
from convcheck.strategies.provider import answering
from convcheck.triage.complexity import complexity
from convcheck.triage.trials import Trials

_DATA: Final = frozenset(field for field in FIELDS if field.startswith(("seed", "nonzeros")))


class _FailedError(Exception):
    """How Hypothesis sees that a case fails."""


def shrink_by_hypothesis(case: Case, trials: Trials, space: PlainSpace) -> Case:
    """The simplest failing case that Hypothesis' shrinker comes across.

    Args:
        case: fails.
        trials: whether cases still fail. What they raise comes out as it is.
        space: of the candidate.

    Returns:
        The first by `complexity`; `case` itself if the space has no numbers for it, or within another test of
        Hypothesis', which must not be nested.
    """
    numbers = space.numbers(case)
    if numbers is None or trials.left <= 0 or currently_in_test_context():
        return case
    best = case

    def fails(tried: dict[str, int]) -> bool:
        nonlocal best
        candidate = space.case(tried)
        failed = trials.fails(candidate)
        if failed and complexity(candidate) < complexity(best):
            best = candidate
        return failed

    for fields in (numbers.keys() - _DATA, _DATA):
        # with other values wrong terms may cancel, so the data change when the layer is found
        lowest = space.numbers(best) or numbers
        # numbers only get lower, so a number of 0 has no choice
        bounds = {field: number for field, number in lowest.items() if number and field in fields}
        _run(lowest, bounds, fails)
    return best


def _run(numbers: Mapping[str, int], bounds: Mapping[str, int], fails: Callable[[dict[str, int]], bool]) -> None:
    """Have Hypothesis shrink the numbers of a failing case.

    Args:
        numbers: of the failing case.
        bounds: the greatest number of each field that may vary; the others stay as they are.
        fails: whether numbers fail.
    """
    if not bounds:
        return
    with ExitStack() as contexts:
        backend = contexts.enter_context(answering(_answers(tuple(numbers[field] for field in bounds))))

        @seed(0)
        @own_settings(
            backend=backend,
            phases=(Phase.generate, Phase.shrink),
            max_examples=2,  # the simplest of all, which Hypothesis always tries, and the failing case
        )
        @given(**{field: st.integers(0, bound) for field, bound in bounds.items()})
        def case(**tried: int) -> None:
            try:
                failed = fails({**numbers, **tried})
            except BaseException as error:
                raise Ended from error
            if failed:
                raise _FailedError

        for context in (_untraced(), apart()):
            contexts.enter_context(context)
        try:
            case()
        except _FailedError:
            pass
        except Ended as interrupt:
            cause = interrupt.__cause__
            assert cause is not None
            raise cause from None


def _answers(values: tuple[int, ...]) -> Iterator[Draw]:
    """Draws each of which gives these values."""

    def draw() -> Draw:
        left = iter(values)
        return lambda _low, _high: next(left)

    return (draw() for _ in repeat(None))


@contextmanager
def _untraced() -> Iterator[None]:
    """Hypothesis does not trace which lines run: it would slow a candidate in Python down many times.

    Its source says that this method is there to be replaced.
    """
    owner: Any = StateForActualGivenExecution
    method = owner.__dict__.get("_should_trace")
    owner._should_trace = lambda _: False  # noqa: SLF001
    try:
        yield
    finally:
        if method is None:
            del owner._should_trace  # noqa: SLF001
        else:
            owner._should_trace = method  # noqa: SLF001
