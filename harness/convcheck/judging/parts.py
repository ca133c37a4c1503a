"""The parts of a run: how its cases come about, and how many of each kind there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from convcheck.judging.blocks import BLOCK
from convcheck.model.ladder import Ladder
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


REACHED: Final[Mapping[Ladder, float]] = {Ladder.QUICK: 0.06, Ladder.STANDARD: 0.22, Ladder.DEEP: 0.25}
"""Cases that reach far for each other case, on top of them: a thousand take every layer of a ladder once."""

REACHING: Final = 50
"""Cases of a part that reaches far: they take longer than others."""

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


def part_at(
    index: int,
    examples: int | None,
    remembered: int = 0,
    *,
    sanitized: bool = False,
    ladder: Ladder = Ladder.STANDARD,
) -> Part | None:
    """The part of a run with this index; None after the last.

    Args:
        index: from 0.
        examples: cases of the run, without the remembered ones; None for no end.
        remembered: cases that failed in earlier runs, which come first.
        sanitized: whether there are parts under a sanitizer, one for each of drawn cases.
        ladder: how far some of the cases reach.
    """
    if remembered:
        if index == 0:
            return Part(Origin.REMEMBERED, 0, remembered)
        index -= 1
    cycle = _cycle(CYCLE if examples is None else examples, ladder, sanitized=sanitized)
    rounds, at = divmod(index, len(cycle))
    if rounds and examples is not None:
        return None
    if rounds == 0:
        return cycle[at]
    before = rounds * sum(part.origin is cycle[at].origin for part in cycle)
    return Part(cycle[at].origin, before + cycle[at].number, cycle[at].size)


def parts_of(examples: int) -> Iterator[Part]:
    """The parts of a run of so many cases, its histories included."""
    yield from _cycle(examples, Ladder.STANDARD, sanitized=False)


@lru_cache(maxsize=4)
def _cycle(cases: int, ladder: Ladder, *, sanitized: bool) -> tuple[Part, ...]:
    """The first drawn block, whose cases tell most, then what takes longest: what reaches far, searches and histories.

    The other drawn blocks come last. What reaches far and histories, the long one too, come on top of the cases, as
    does what is run again under a sanitizer.
    """
    searched, reached = round(SEARCHED * cases), round(REACHED[ladder] * cases)
    drawn = cases - searched
    blocks = [Part(Origin.DRAWN, n, min(BLOCK, drawn - n * BLOCK)) for n in range(-(-drawn // BLOCK))]
    searches = -(-searched // MOST_SEARCHED)
    again = [Part(Origin.SANITIZED, b.number, max(1, b.size // SANITIZED)) for b in blocks if sanitized]
    return (
        *blocks[:1],
        *(Part(Origin.REACH, n, min(REACHING, reached - n * REACHING)) for n in range(-(-reached // REACHING))),
        *(Part(Origin.SEARCHED, n, (searched + n) // searches) for n in range(searches)),
        Part(Origin.HISTORY, 0, max(1, round(HISTORIES * cases))),
        Part(Origin.LONG_HISTORY, 0, max(1, round(LONG_HISTORY * cases))),
        *again[:1],
        *blocks[1:],
        *again[1:],
    )
