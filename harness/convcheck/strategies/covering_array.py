"""t-way coverage: how many of the feasible pairs and triples of classes some cases take, and rows that take all.

Most faults need few parameters to meet: two in about nine of ten, three in nearly all of the rest (Kuhn,
Wallace and Gallo, "Software fault interactions and implications for software testing", 2004).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, islice, product
from math import factorial
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convcheck.strategies import parameter_model
from convcheck.strategies.parameter_model import Classes, Space, level, owner
from convcheck.strategies.tables import Axes, Padding, axes, channels
from convcheck_reference.params import PADDING_MODES

ROWS: Final = 500
"""Rows of one covering array: half of a thousand cases."""

ARRAYS: Final = 4
"""Covering arrays, used in turn: their classes repeat, what is drawn within them does not."""

_ONCE: Final = (
    level(parameter_model.BATCH, parameter_model.BATCHES.index("0")),
    level(parameter_model.DTYPE, parameter_model.DTYPES.index("complex")),
)
"""Classes that need no second row with every pair of others: less can go wrong, or the same is slower."""

Levels: TypeAlias = NDArray[np.intp]
Block: TypeAlias = tuple[slice, Levels]
"""Factors whose classes depend on each other, and every combination of classes that can be built, a row each."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """How many of the feasible t-tuples of classes were taken.

    Attributes:
        strength: t.
        covered: feasible tuples that a case took.
        feasible: tuples that a case can take.
    """

    strength: int
    covered: int
    feasible: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.covered / self.feasible

    @property
    def figure(self) -> str:
        """For a report: ``100.00% (2,504 of 2,504)``."""
        return f"{self.share:.2%} ({self.covered:,} of {self.feasible:,})"


def measure(space: Space, taken: Iterable[Classes]) -> tuple[Interaction, Interaction]:
    """2-way and 3-way coverage of some rows of classes."""
    every = np.arange(len(parameter_model.FACTORS))
    rows = np.array([level(every, np.array(row)) for row in taken], np.intp).reshape(-1, len(every))
    pairs, triples = feasible(space)
    return _interaction(rows, pairs), _interaction(rows, triples)


def _interaction(taken: Levels, can: NDArray[np.bool_]) -> Interaction:
    found = np.zeros_like(can)
    for columns in combinations(range(taken.shape[1]), can.ndim):
        found[tuple(taken[:, columns].T)] = True
    # `found` has its tuples in the order of the factors, `can` in every order
    return Interaction(can.ndim, int((found & can).sum()), int(can.sum()) // factorial(can.ndim))


@lru_cache(maxsize=8)
def feasible(space: Space) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which pairs and which triples of classes, of different factors, some legal case takes; in every order."""
    pairs, triples = np.zeros((parameter_model.LEVELS,) * 2, bool), np.zeros((parameter_model.LEVELS,) * 3, bool)
    for padding in axes(space):
        two, three = _feasible([_one_hot(levels) for _, levels in _blocks(space, padding)])
        pairs |= two
        triples |= three
    factor = owner()
    differ = factor[:, None] != factor
    return pairs & differ, triples & differ[:, :, None] & differ[:, None, :] & differ[None, :, :]


def _feasible(blocks: list[NDArray[np.bool_]]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Pairs and triples under one padding, given the rows of every block.

    The blocks are independent then. So a triple over two or three of them is feasible exactly if its pairs
    are, and one within a block if a row has it.
    """
    single = np.any([rows.any(0) for rows in blocks], axis=0)
    pairs = np.outer(single, single)
    within = [(np.flatnonzero(rows.any(0)), rows.astype(np.float32)) for rows in blocks]
    for own, rows in within:
        pairs[np.ix_(own, own)] = (rows[:, own].T @ rows[:, own]) > 0
    triples = pairs[:, :, None] & pairs[:, None, :] & pairs[None, :, :]
    for own, rows in within:
        part = rows[:, own]
        counts = np.einsum("nx,nyz->xyz", part, part[:, :, None] * part[:, None, :], optimize=True)
        triples[np.ix_(own, own, own)] = counts > 0
    return pairs, triples


@lru_cache(maxsize=8)
def covering_array(space: Space, number: int) -> CoveringArray:
    """The covering array of that number; its rows are computed as they are asked for, and kept."""
    return CoveringArray(space, number)


class CoveringArray:
    """Up to `ROWS` rows of classes that take every feasible triple as early as a greedy choice can.

    Each row starts from a triple that no row has taken yet; block by block, it then takes the combination
    with the most new triples (AETG: Cohen, Dalal, Fredman and Patton 1997). Once nothing is left, anew,
    without the classes in `_ONCE`. A row takes most of a millisecond, and a run that is short needs few.

    Args:
        space: where the rows come from.
        number: of the array; decides among equals.
    """

    def __init__(self, space: Space, number: int) -> None:
        self._rows: list[Classes] = []
        self._more = _greedy(space, random.Random(number))  # noqa: S311  (no secrets here)

    def row(self, at: int) -> Classes:
        """A row, from 0."""
        if at >= len(self._rows):
            self._rows += islice(self._more, at + 1 - len(self._rows))
        return self._rows[at]


def _greedy(space: Space, chance: random.Random) -> Iterator[Classes]:
    whole = feasible(space)[1].astype(np.float32)
    blocks = [_blocks(space, padding) for padding in axes(space)]
    again = whole.copy()
    for seldom in _ONCE:
        again[seldom] = again[:, seldom] = again[:, :, seldom] = 0
    again = again if again.any() else whole
    still_open, left = whole.copy(), np.flatnonzero(whole)
    while True:
        left = left[still_open.reshape(-1)[left] > 0]
        if not len(left):
            still_open, left = again.copy(), np.flatnonzero(again)
        triple = np.array(np.unravel_index(left[chance.randrange(len(left))], whole.shape))
        row = _row(blocks, still_open, triple, chance)
        still_open[np.ix_(row, row, row)] = 0
        yield tuple(int(v) for v in row - level(np.arange(len(parameter_model.FACTORS)), 0))


def _row(blocks: list[list[Block]], still_open: NDArray[Any], triple: Levels, chance: random.Random) -> Levels:
    """A row with the triple in it, as the levels of its factors."""
    taken = [int(v) for v in triple]
    fixed = dict(zip(owner()[triple].tolist(), taken, strict=True))
    able = (_compatible(each, fixed) for each in chance.sample(blocks, len(blocks)))
    chosen = next(each for each in able if each is not None)
    row = np.zeros(len(parameter_model.FACTORS), np.intp)
    with_one = still_open[taken].sum(0)
    for where, choices in chance.sample(chosen, len(chosen)):
        gain = 0.5 * with_one[taken].sum(0)[choices].sum(1)
        for a, b in combinations(range(choices.shape[1]), 2):
            gain += with_one[choices[:, a], choices[:, b]]
        best = choices[chance.choice(np.flatnonzero(gain >= gain.max()))]
        row[where] = best
        new = [int(v) for v in best if v not in taken]
        with_one = with_one + still_open[new].sum(0)
        taken += new
    return row


def _compatible(blocks: list[Block], fixed: dict[int, int]) -> list[Block] | None:
    """The blocks without the combinations that contradict the fixed levels; None if one has none left."""
    left = []
    for where, rows in blocks:
        for at, factor in enumerate(range(where.start, where.stop)):
            if factor in fixed:
                rows = rows[rows[:, at] == fixed[factor]]  # noqa: PLW2901
        if not len(rows):
            return None
        left.append((where, rows))
    return left


def _blocks(space: Space, padding: Padding) -> list[Block]:
    spelled, mode = padding
    along: Axes = axes(space)[padding]
    numbers: list[tuple[slice, Any]] = [
        (parameter_model.HEIGHT, list(along)),
        (parameter_model.WIDTH, list(along)),
        (parameter_model.PADDING, [(parameter_model.PADDINGS.index(spelled), PADDING_MODES.index(mode))]),
        (parameter_model.CHANNELS, list(channels(space))),
        *(
            (slice(factor, factor + 1), list(product(classes)))
            for factor, classes in (
                (parameter_model.BIAS, (0, 1)),
                (parameter_model.BATCH, space.batches),
                (parameter_model.LAYOUT, space.layout_classes),
                (parameter_model.DTYPE, space.dtype_classes),
            )
        ),
    ]
    return [(where, level(np.arange(where.start, where.stop), np.array(rows, np.intp))) for where, rows in numbers]


def _one_hot(levels: Levels) -> NDArray[np.bool_]:
    found = np.zeros((len(levels), parameter_model.LEVELS), bool)
    np.put_along_axis(found, levels, values=True, axis=1)
    return found
