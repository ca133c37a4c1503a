"""Deterministic blocks of cases: the same seed gives the same cases on any number of workers."""

from __future__ import annotations

import hashlib

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.strategies import SearchStrategy

from convcheck.case import Case

_ROUNDS = 4


def generate(strategy: SearchStrategy[Case], *, run_seed: int, block: int, size: int) -> tuple[Case, ...]:
    """Up to `size` distinct cases; fewer only where the strategy has no more.

    Hypothesis begins every run at its simplest example, so that one is kept in block 0 only.

    Args:
        strategy: of cases.
        run_seed: of the whole run.
        block: number of the block; blocks are independent of each other.
        size: number of cases.
    """
    found: dict[str, Case] = {}
    for attempt in range(_ROUNDS):
        drawn = _draw(strategy, f"{run_seed} {block} {attempt}", size - len(found) + 2)
        for case in drawn[1 if block or attempt else 0 :]:
            found.setdefault(case.token, case)
        if len(found) >= size:
            break
    return tuple(found.values())[:size]


def _draw(strategy: SearchStrategy[Case], key: str, count: int) -> list[Case]:
    drawn: list[Case] = []

    @seed(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]))
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(strategy)
    def collect(case: Case) -> None:
        drawn.append(case)

    collect()
    return drawn
