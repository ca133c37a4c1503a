"""The parts of a run: how its cases come about, and how many of each kind there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
        number: of the first case among those drawn, or those that reach far; otherwise of the part among those of its
            origin.
        size: number of cases, of histories, or of the steps of a long one.
    """

    origin: Origin
    number: int
    size: int


REACHED: Final[Mapping[Ladder, float]] = {Ladder.QUICK: 0.06, Ladder.STANDARD: 0.23, Ladder.DEEP: 0.25}
"""The share of the first thousand cases that reaches far: it takes every layer of a ladder once. Of further cases, in
which these layers come again in other ways, half of it does."""

_FIRST: Final = 1_000
"""Cases of which the whole share reaches far."""

UNIT: Final = 50
"""Drawn cases of a part: about a second of a small kernel, so that many processes share few cases evenly. A fresh
candidate costs each part what several cases do, most of it in caches that it fills again."""

LAST_UNIT: Final = 10
"""Cases of the last parts of a run: where a case takes seconds, nobody waits long for who is last."""

LAST: Final = 0.1
"""The share of the drawn cases that come in such parts."""

REACHING: Final = 20
"""Cases of a part that reaches far: they take longer than others."""

SEARCHED: Final = 0.2
"""The share of a run that is searched."""

HISTORIES: Final = 0.01
"""Histories for each case of a run, at least one: each has twenty calls, on a fresh candidate."""

MOST_HISTORIES: Final = 10
"""Histories of a part; what fails in them is shrunk at once, once a part."""

LONG_HISTORY: Final = 0.1
"""Steps of long histories for each case of a run, at least one: one candidate makes all of one."""

MOST_STEPS: Final = 1000
"""Steps of one long history, some 30,000 calls: a run of many cases has several, or one process would be the last."""

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
    given: int = 0,
    sanitized: bool = False,
    ladder: Ladder = Ladder.STANDARD,
) -> Part | None:
    """The part of a run with this index; None after the last.

    Args:
        index: from 0.
        examples: cases of the run, without those given and remembered; None for no end.
        remembered: cases that failed in earlier runs, which come first but for those given.
        given: cases that somebody named.
        sanitized: whether there are parts under a sanitizer, one for each of drawn cases.
        ladder: how far some of the cases reach.
    """
    if index * UNIT < given:
        return Part(Origin.GIVEN, index * UNIT, min(UNIT, given - index * UNIT))
    index -= -(-given // UNIT)
    if remembered:
        if index == 0:
            return Part(Origin.REMEMBERED, 0, remembered)
        index -= 1
    if examples == 0:
        return None
    cycle = _cycle(CYCLE if examples is None else examples, ladder, sanitized=sanitized)
    rounds, at = divmod(index, len(cycle))
    if rounds and examples is not None:
        return None
    if rounds == 0:
        return cycle[at]
    alike = [part for part in cycle if part.origin is cycle[at].origin]
    before = sum(part.size for part in alike) if alike[0].origin in _NUMBERED else len(alike)
    return replace(cycle[at], number=rounds * before + cycle[at].number)


def parts_of(examples: int) -> Iterator[Part]:
    """The parts of a run of so many cases, its histories included."""
    yield from _cycle(examples, Ladder.STANDARD, sanitized=False)


def reached(cases: int, ladder: Ladder) -> int:
    """How many of so many cases reach far."""
    first = min(cases, _FIRST)
    return round(REACHED[ladder] * (first + (cases - first) / 2))


_NUMBERED: Final = frozenset({Origin.DRAWN, Origin.REACH})
"""Origins whose cases are numbered through the run."""


@lru_cache(maxsize=4)
def _cycle(cases: int, ladder: Ladder, *, sanitized: bool) -> tuple[Part, ...]:
    """The first drawn cases, which tell most, then what takes longest: searches and histories; then what reaches far.

    The other drawn cases come last. Histories, the long one too, come on top of the cases, as does what is run again
    under a sanitizer.
    """
    searched, far = round(SEARCHED * cases), reached(cases, ladder)
    left = cases - searched - far
    histories, steps = max(1, round(HISTORIES * cases)), max(1, round(LONG_HISTORY * cases))
    drawn = tuple(_drawn(left))
    first = [part for part in drawn if part.number < BLOCK]
    searches = -(-searched // MOST_SEARCHED)
    again = [_again(drawn, block) for block in range(-(-left // BLOCK)) if sanitized]
    return (
        *first,
        *(Part(Origin.SEARCHED, n, (searched + n) // searches) for n in range(searches)),
        *(replace(part, number=n) for n, part in enumerate(_split(Origin.LONG_HISTORY, steps, MOST_STEPS))),
        *(replace(part, number=n) for n, part in enumerate(_split(Origin.HISTORY, histories, MOST_HISTORIES))),
        *_split(Origin.REACH, far, REACHING),
        *again[:1],
        *drawn[len(first) :],
        *again[1:],
    )


def _drawn(cases: int) -> Iterator[Part]:
    """The parts of so many drawn cases, none of which goes beyond a block: the last are small."""
    whole = int((1.0 - LAST) * cases) // UNIT * UNIT
    yield from _split(Origin.DRAWN, whole, UNIT)
    yield from (replace(p, number=whole + p.number) for p in _split(Origin.DRAWN, cases - whole, LAST_UNIT))


def _split(origin: Origin, size: int, most: int) -> Iterator[Part]:
    return (Part(origin, first, min(most, size - first)) for first in range(0, size, most))


def _again(drawn: Sequence[Part], block: int) -> Part:
    """What is run again of a block."""
    size = sum(part.size for part in drawn if part.number // BLOCK == block)
    return Part(Origin.SANITIZED, block, max(1, size // SANITIZED))
