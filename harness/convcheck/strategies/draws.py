"""Where choices come from: Hypothesis, whose engine searches and shrinks, answered by itself or from a key.

Every construction in this package takes a `Draw` and asks nothing else of chance. What reaches Hypothesis are
choices among at most a hundred: into larger ranges its own provider mixes constants of whatever modules are loaded,
none of which is smaller (`hypothesis.internal.constants_ast`), and the same seed would give other examples elsewhere.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias, TypeVar

from hypothesis import strategies as st

Value = TypeVar("Value")

Draw: TypeAlias = Callable[[int, int], int]
"""An integer between two others, both included; the lower one is the simplest."""

BASE: Final = 100
"""Choices of Hypothesis have at most so many values."""


def from_hypothesis(draw: Any) -> Draw:
    """Choices of Hypothesis, given the `draw` of a composite strategy; in large ranges a part, then one in it."""

    def choose(low: int, high: int) -> int:
        number = high - low + 1
        if number == 1:
            return low
        if number <= BASE:
            return low + int(draw(_below(number)))
        parts, size = _split(number)
        first = size * choose(0, parts - 1)
        return low + first + choose(0, min(size, number - first) - 1)

    return choose


@lru_cache(maxsize=BASE)
def _below(number: int) -> st.SearchStrategy[int]:
    return st.integers(0, number - 1)


def choices(value: int, number: int) -> tuple[int, ...]:
    """Those by which `from_hypothesis` comes to one of so many values, from 0."""
    if number == 1:
        return ()
    if number <= BASE:
        return (value,)
    parts, size = _split(number)
    part, within = divmod(value, size)
    return *choices(part, parts), *choices(within, min(size, number - part * size))


def _split(number: int) -> tuple[int, int]:
    """How many parts of how many values: as few as can be, the last one hardly smaller, so that all are as likely."""
    parts = -(-number // BASE)
    return parts, -(-number // parts)


def from_key(key: str) -> Draw:
    """Choices that depend on a key alone."""
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
    return random.Random(seed).randint  # noqa: S311  (no secrets here)


def opening_with(first: Iterable[int], draw: Draw) -> Draw:
    """Given choices first, then those of `draw`."""
    given = iter(first)

    def choose(low: int, high: int) -> int:
        choice = next(given, None)
        return draw(low, high) if choice is None else choice

    return choose


class Dealt:
    """Choices that are the digits of a number, the first counting fastest, as long as there are digits; then others.

    In turn 0, 1, 2, … the first choice takes one value after the other, and the second moves on when it is through.

    Args:
        turn: the number, below `turns`.
        turns: how many there are.
        draw: answers what turns do not suffice for.
    """

    def __init__(self, turn: int, turns: int, draw: Draw) -> None:
        self._turn, self._draw = turn, draw
        self._left, self._of, self._combinations = turn, turns, 1

    def __call__(self, low: int, high: int) -> int:
        """An integer between two others, both included."""
        number = high - low + 1
        if number > self._of:
            return self._draw(low, high)
        self._left, digit = divmod(self._left, number)
        self._of //= number
        self._combinations *= number
        return low + digit

    def side(self) -> int:
        """0 or 1, by what was chosen so far: its combinations have the other side when their turn comes again.

        Along the first round it goes by the number of ones in the place (Thue and Morse), so that a few turns in a row
        have both sides, whatever else their digits say.
        """
        rounds, place = divmod(self._turn, self._combinations)
        return (rounds + place.bit_count()) % 2


def pick(draw: Draw, values: Sequence[Value]) -> Value:
    """One of `values`, the first being the simplest; repeated values are drawn more often."""
    return values[draw(0, len(values) - 1)]


def shuffled(values: Sequence[Value], draw: Draw) -> tuple[Value, ...]:
    """The values in an order of chance."""
    left = list(values)
    return tuple(left.pop(draw(0, len(left) - 1)) for _ in values)
