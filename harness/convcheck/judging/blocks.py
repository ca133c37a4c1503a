"""Deterministic blocks of cases: the same seed gives the same cases on any number of workers."""

from __future__ import annotations

from typing import Final

from convcheck.judging.prioritization import prioritized
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.strategies.cases import free_case, kinds, regimes
from convcheck.strategies.covering_array import ROWS, covering_rows
from convcheck.strategies.draws import Draw, from_key
from convcheck.strategies.parameter_model import Space
from convcheck.strategies.steered import steered

BLOCK: Final = 250
"""Cases of a whole block."""

_ARRAYS: Final = 4
"""Covering arrays of a run, used in turn: their classes repeat, what is drawn within them does not."""

_ROUNDS: Final = 4


def generate(
    capabilities: Capabilities, dtypes: tuple[str, ...] | None = None, *, run_seed: int, block: int, size: int = BLOCK
) -> tuple[Case, ...]:
    """Up to `size` distinct cases; fewer only where there are no more.

    Every other case is steered: it takes the next row of a covering array, which a thousand cases use up.
    The rest is drawn freely, every kind of case with its share in every block. Blocks are independent of
    each other, and a shorter one begins like the whole one. The first is put in order, so that a short run
    sees the most telling cases.

    Args:
        capabilities: what is drawn at all.
        dtypes: restricts the dtypes further.
        run_seed: of the whole run.
        block: number of the block.
        size: number of cases, at most `BLOCK`.
    """
    if block == 0:
        return prioritized(_drawn(capabilities, dtypes, run_seed, block, BLOCK))[:size]
    return _drawn(capabilities, dtypes, run_seed, block, size)


def _drawn(
    capabilities: Capabilities, dtypes: tuple[str, ...] | None, run_seed: int, block: int, size: int
) -> tuple[Case, ...]:
    space, known = Space.of(capabilities, dtypes), regimes(capabilities)
    deck = _shuffled(kinds(capabilities), from_key(f"{run_seed} {block}"))
    found: dict[str, Case] = {}
    for number in range(_ROUNDS * size):
        draw = from_key(f"{run_seed} {block} {number}")
        if number % 2 == 0:
            array, at = divmod((block * BLOCK + number) // 2, ROWS)
            case = steered(draw, space, covering_rows(space, f"{run_seed} {array % _ARRAYS}")[at], known)
        else:
            case = free_case(draw, capabilities, dtypes, deck[number // 2 % len(deck)])
        found.setdefault(case.token, case)
        if len(found) == size:
            break
    return tuple(found.values())


def _shuffled(values: tuple[str, ...], draw: Draw) -> tuple[str, ...]:
    left = list(values)
    return tuple(left.pop(draw(0, len(left) - 1)) for _ in values)
