"""The parts of a run: how its cases come about, and how many of each kind there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from convcheck.judging.blocks import BLOCK
from convcheck.model.origins import Origin


@dataclass(frozen=True, slots=True)
class Part:
    """Some cases of a run, judged by one fresh candidate.

    Attributes:
        origin: how they come about.
        number: of the part among those of its origin.
        size: number of cases, of histories, or of the steps of a long one.
    """

    origin: Origin
    number: int
    size: int


SEARCHED: Final = 0.2
"""The share of a run that is searched."""

HISTORIES: Final = 0.01
"""Histories for each case of a run, at least one: each has twenty calls, on a fresh candidate."""

LONG_HISTORY: Final = 0.1
"""Steps of the long history for each case of a run, at least one: one candidate makes them all."""

SANITIZED: Final = 8
"""Of so many drawn cases one is run again under a sanitizer, if there is to be one."""

MOST_SEARCHED: Final = 500
"""Cases of one search: the longer it is, the further it climbs, and the longer its process is busy."""

CYCLE: Final = 5 * BLOCK
"""Cases of a cycle, which a run without a number of cases repeats."""


def part_at(index: int, examples: int | None, remembered: int = 0, *, sanitized: bool = False) -> Part | None:
    """The part of a run with this index; None after the last.

    Args:
        index: from 0.
        examples: cases of the run, without the remembered ones; None for no end.
        remembered: cases that failed in earlier runs, which come first.
        sanitized: whether there are parts under a sanitizer, one for each of drawn cases.
    """
    if remembered:
        if index == 0:
            return Part(Origin.REMEMBERED, 0, remembered)
        index -= 1
    cycle = _cycle(CYCLE if examples is None else examples, sanitized=sanitized)
    rounds, at = divmod(index, len(cycle))
    if rounds and examples is not None:
        return None
    if rounds == 0:
        return cycle[at]
    before = rounds * sum(part.origin is cycle[at].origin for part in cycle)
    return Part(cycle[at].origin, before + cycle[at].number, cycle[at].size)


def parts_of(examples: int) -> Iterator[Part]:
    """The parts of a run of so many cases, its histories included."""
    yield from _cycle(examples, sanitized=False)


@lru_cache(maxsize=4)
def _cycle(cases: int, *, sanitized: bool) -> tuple[Part, ...]:
    """The first drawn block, whose cases tell most, then what takes longest, the searches and histories, then the rest.

    Histories, the long one too, come on top of the cases, as does what is run again under a sanitizer.
    """
    searched = round(SEARCHED * cases)
    drawn = cases - searched
    blocks = [Part(Origin.DRAWN, n, min(BLOCK, drawn - n * BLOCK)) for n in range(-(-drawn // BLOCK))]
    searches = -(-searched // MOST_SEARCHED)
    again = [Part(Origin.SANITIZED, b.number, max(1, b.size // SANITIZED)) for b in blocks if sanitized]
    return (
        *blocks[:1],
        *(Part(Origin.SEARCHED, n, (searched + n) // searches) for n in range(searches)),
        Part(Origin.HISTORY, 0, max(1, round(HISTORIES * cases))),
        Part(Origin.LONG_HISTORY, 0, max(1, round(LONG_HISTORY * cases))),
        *again[:1],
        *blocks[1:],
        *again[1:],
    )
