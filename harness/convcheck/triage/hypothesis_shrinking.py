"""Shrinking by Hypothesis: a failing case as the numbers of a plain space, which the engine's own shrinker lowers.

Hypothesis is handed the failing case by a backend that answers nothing else, and shrinks it as it would shrink any
failing example. Its explain phase says which numbers do not matter. Seed, database and what the terminal shows do not
depend on the run that it happens in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

from hypothesis import Phase, Verbosity, currently_in_test_context, given, seed
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

_COMMENTED: Final = re.compile(r"^\s*(\w+)=\d+,\s*# or any other generated value$", re.MULTILINE)

_DATA: Final = frozenset(field for field in FIELDS if field.startswith(("seed", "nonzeros")))
_CHOICES: Final = (
    "entry",
    "dtype",
    "regime",
    "layout_x",
    "layout_weight",
    "layout_grad",
    "layout_bias",
    "placement",
    "mode",
    "padding",
)
_UP_TO: Final = {
    "dilation_h": 2, "dilation_w": 2, "groups": 2, "stride_h": 2, "stride_w": 2, "padding_h": 2, "padding_w": 2,
    "batch": 2, "in_per_group": 3, "out_per_group": 3, "kernel_h": 2, "kernel_w": 2, "spare_h": 3, "spare_w": 3,
    "bias": 1,
}  # fmt: skip
"""The greatest number that is tried of each field whose freedom is looked at: every value costs a trial."""

_WORDS: Final = {
    "dtype": ("dtype",),
    "values": ("regime",),
    "layout": ("layout_x", "layout_weight", "layout_grad", "layout_bias"),
    "placement": ("placement",),
    "padding_mode": ("mode",),
    "padding": ("padding", "padding_h", "padding_w"),
    "dilation": ("dilation_h", "dilation_w"),
    "stride": ("stride_h", "stride_w"),
    "kernel_size": ("kernel_h", "kernel_w"),
    "input size": ("spare_h", "spare_w"),
    "groups": ("groups",),
    "in_channels": ("in_per_group",),
    "out_channels": ("out_per_group",),
    "batch": ("batch",),
    "bias": ("bias",),
    "entry": ("entry",),
}
"""What a reader calls some fields, if all of them that could vary are free."""

_ALONE: Final = {"regime": "values", "mode": "padding_mode", "spare_h": "height", "spare_w": "width", "padding": ""}
"""What a reader calls a field that is free where others of its quantity are not, if not by its name."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What the explain phase made of a case.

    Attributes:
        case: the case, or a simpler one that it met on the way.
        free: parameters any other value of which fails as well, each varied alone, as far as it was tried.
    """

    case: Case
    free: tuple[str, ...] = ()


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
        _run(lowest, bounds, fails, (Phase.generate, Phase.shrink))
    return best


def explain(case: Case, trials: Trials, space: PlainSpace) -> Explained:
    """Which parameters of a shrunk case do not matter, by the explain phase of Hypothesis.

    Each of about 75 values is tried alone. Where trials run out, parameters that were not looked at are not free. That
    several may vary at once is not looked at, because it takes a hundred trials more.

    Args:
        case: fails, and is as small as it gets.
        trials: whether cases still fail. What they raise comes out as it is.
        space: of the candidate.
    """
    numbers = space.numbers(case)
    if numbers is None or trials.left <= 0 or currently_in_test_context():
        return Explained(case)
    bounds = _bounds(space, numbers)
    lowest = numbers

    def fails(tried: dict[str, int]) -> bool:
        nonlocal lowest
        changed = sum(tried[field] != lowest[field] for field in bounds)
        if changed > 1 or not trials.fails(space.case(tried)):
            return False
        if tuple(tried.values()) < tuple(lowest.values()):
            lowest = tried
        return True

    notes = _run(numbers, bounds, fails, (Phase.generate, Phase.shrink, Phase.explain))
    return Explained(space.case(lowest), _words(set(_COMMENTED.findall(notes)), bounds))


def _bounds(space: PlainSpace, numbers: Mapping[str, int]) -> dict[str, int]:
    """The greatest number of each field that is varied: of those that make a difference to the case."""
    limits, case = space.limits, space.case(numbers)
    most = {field: limits[field] for field in _CHOICES}
    most |= {field: min(limits[field], up_to) for field, up_to in _UP_TO.items()}
    return {
        field: max(number, most[field])
        for field, number in numbers.items()
        if field in most and any(space.case({**numbers, field: other}) != case for other in range(most[field] + 1))
    }


def _words(free: set[str], varied: Mapping[str, int]) -> tuple[str, ...]:
    found = []
    for word, fields in _WORDS.items():
        could = [field for field in fields if field in varied]
        if could and free.issuperset(could):
            found.append(word)
        else:
            found += [_ALONE.get(field, field) for field in could if field in free]
    return tuple(filter(None, found))


def _run(
    numbers: Mapping[str, int],
    bounds: Mapping[str, int],
    fails: Callable[[dict[str, int]], bool],
    phases: tuple[Phase, ...],
) -> str:
    """Have Hypothesis shrink the numbers of a failing case, and return what it says of the last one.

    Args:
        numbers: of the failing case.
        bounds: the greatest number of each field that may vary; the others stay as they are.
        fails: whether numbers fail.
        phases: of Hypothesis.
    """
    if not bounds:
        return ""
    with ExitStack() as contexts:
        backend = contexts.enter_context(answering(_answers(tuple(numbers[field] for field in bounds))))

        @seed(0)
        @own_settings(
            backend=backend,
            phases=phases,
            max_examples=2,  # the simplest of all, which Hypothesis always tries, and the failing case
            verbosity=Verbosity.normal,  # the notes are part of it
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
        except _FailedError as error:
            return "\n".join(getattr(error, "__notes__", ()))
        except Ended as interrupt:
            cause = interrupt.__cause__
        else:
            return ""
    assert cause is not None
    raise cause


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
