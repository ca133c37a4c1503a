"""The cases of a run that reach far: each layer of a ladder once, in an order that hangs on the seed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from typing import Final

from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.ladder import Ladder
from convcheck.strategies.cases import KINDS, unpadded_cases
from convcheck.strategies.draws import choices, from_key, opening_with, shuffled
from convcheck.strategies.engine import for_each
from convcheck.strategies.reaching import DRAWN, openings
from convcheck.strategies.thin import DECKS

_AGAIN: Final = 4
"""Once every published layer was judged, one of so many comes at a time."""


def reach(
    capabilities: Capabilities,
    dtypes: tuple[str, ...] | None = None,
    *,
    run_seed: int,
    first: int,
    size: int,
    ladder: Ladder,
) -> tuple[Case, ...]:
    """Some of the cases of a run that reach far, drawn by Hypothesis' engine.

    Args:
        capabilities: what is drawn at all.
        dtypes: restricts the dtypes further.
        run_seed: of the whole run.
        first: the number of the first of them in the run.
        size: how many.
        ladder: how far they reach.
    """
    numbers = islice(_numbers(capabilities, dtypes or capabilities.dtypes, run_seed, ladder), first, first + size)
    draws = [
        opening_with((KINDS.index("reach"), *choices(number, DRAWN)), from_key(f"reach {run_seed} {first + at}"))
        for at, number in enumerate(numbers)
    ]
    found: list[Case] = []
    for_each(unpadded_cases(capabilities, dtypes, ladder), draws, found.append)
    return tuple(found)


def _numbers(capabilities: Capabilities, dtypes: tuple[str, ...], run_seed: int, ladder: Ladder) -> Iterator[int]:
    """Every layer once, then once more with the targets put together in another way, without an end.

    Thin layers come first: they take least time. Published ones are the same each time, and then a part of them comes.
    """
    for again in count():
        way = (run_seed + again) % DECKS
        chance = from_key(f"reach {run_seed} {way}")
        thin, whole = openings(capabilities, dtypes, ladder, way)
        yield from shuffled(thin, chance)
        yield from shuffled(whole[again % _AGAIN :: _AGAIN] if again else whole, chance)
