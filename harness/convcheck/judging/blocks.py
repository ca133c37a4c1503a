"""Deterministic blocks of cases: the same seed gives the same cases on any number of workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from convcheck.judging.prioritization import prioritized
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.strategies.cases import KINDS, unpadded_cases, ways
from convcheck.strategies.covering_array import ARRAYS, ROWS
from convcheck.strategies.draws import Draw, choices, from_key, opening_with, shuffled
from convcheck.strategies.engine import for_each
from convcheck.strategies.illegal import TURNS
from convcheck.strategies.realistic import TURNS as STRUCTURES

BLOCK: Final = 250
"""Cases of a whole block."""

Opening = tuple[int, ...]
"""The first choices of a case: its kind, and the row of a steered one, the way and turn of an illegal one, or the turn
of a realistic one."""

_SHARES: Final = {"small": 6, "conjunction": 20, "common": 6, "deep": 9, "medium": 20, "realistic": 20}
_OF_A_WAY: Final = {
    "tensors": 6, "padding": 5, "no numbers": 4, "fractions": 4, "dilation": 4, "groups": 3, "stride": 3,
    "mode": 1, "reflect": 1, "circular": 1, "dtypes": 1,
}  # fmt: skip
"""By how much there is to be wrong in a way: a thousand cases have all of it, most of it by function and by module."""
_OF_ANY_OTHER_WAY: Final = 2


def generate(
    capabilities: Capabilities,
    dtypes: tuple[str, ...] | None = None,
    *,
    run_seed: int,
    block: int,
    start: int = 0,
    size: int = BLOCK,
) -> tuple[Case, ...]:
    """The cases of a block, or some of them, drawn by Hypothesis' engine.

    Every other case is steered: it takes the next row of a covering array, which a thousand cases use up.
    The rest is drawn freely, every kind of case with its share in every block. Blocks are independent of
    each other, and a shorter one begins like the whole one. The first is put in order, so that a short run
    sees the most telling cases.

    Args:
        capabilities: what is drawn at all.
        dtypes: restricts the dtypes further.
        run_seed: of the whole run.
        block: number of the block.
        start: of the first of them in the block.
        size: number of cases; there are none beyond the block.
    """
    numbers = range(start, min(start + size, BLOCK))
    if block == 0:
        return _first_block(capabilities, dtypes, run_seed)[numbers.start : numbers.stop]
    return _drawn(capabilities, dtypes, run_seed, block, numbers)


@lru_cache(maxsize=8)
def _first_block(capabilities: Capabilities, dtypes: tuple[str, ...] | None, run_seed: int) -> tuple[Case, ...]:
    """The cases of the first block, the most telling first."""
    found = _drawn(capabilities, dtypes, run_seed, 0, range(BLOCK))
    return tuple(found[at] for at in prioritized(found))


def _drawn(
    capabilities: Capabilities, dtypes: tuple[str, ...] | None, run_seed: int, block: int, numbers: range
) -> tuple[Case, ...]:
    draws, found = _draws(capabilities, run_seed, block), list[Case]()
    for_each(unpadded_cases(capabilities, dtypes), [draws(number) for number in numbers], found.append)
    return tuple(found)


def _draws(capabilities: Capabilities, run_seed: int, block: int) -> Callable[[int], Draw]:
    """The choices of a case by its number in the block."""
    deck = shuffled(_openings(capabilities, run_seed, block), from_key(f"{run_seed} {block}"))

    def draw(number: int) -> Draw:
        if number % 2 == 0:
            at = ((run_seed % ARRAYS) * ROWS + (block * BLOCK + number) // 2) % (ARRAYS * ROWS)
            opening = (KINDS.index("steered"), *choices(at, ARRAYS * ROWS))
        else:
            opening = deck[number // 2 % len(deck)]
        return opening_with(opening, from_key(f"{run_seed} {block} {number}"))

    return draw


def _openings(capabilities: Capabilities, run_seed: int, block: int) -> tuple[Opening, ...]:
    """Those of the cases that are not steered, each as often as its share of half a block.

    Turns go on from block to block, so that a run takes one after the other.
    """

    def turns(share: int, number: int) -> Iterator[Opening]:
        return (choices((run_seed + block * share + n) % number, number) for n in range(share))

    legal = [
        (KINDS.index(kind), *turn)
        for kind, share in _SHARES.items()
        for turn in (turns(share, STRUCTURES) if kind == "realistic" else ((),) * share)
    ]
    possible = ways(capabilities)
    illegal = [
        (KINDS.index("illegal"), *choices(at, len(possible)), *turn)
        for at, share in enumerate(_OF_A_WAY.get(way, _OF_ANY_OTHER_WAY) for way in possible)
        for turn in turns(share, TURNS)
    ]
    return *legal, *illegal
