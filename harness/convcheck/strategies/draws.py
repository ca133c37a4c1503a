"""Where choices come from: Hypothesis, which can shrink them, or a seed, which gives the same everywhere.

Every construction in this package takes a `Draw` and asks nothing else of chance. A campaign draws from a
seed: Hypothesis mixes constants of whatever local modules are loaded into what it generates, so that the
same seed gives other examples in a process that has loaded another module.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from hypothesis import strategies as st

Value = TypeVar("Value")

Draw: TypeAlias = Callable[[int, int], int]
"""An integer between two others, both included; the lower one is the simplest."""


def from_hypothesis(draw: Any) -> Draw:
    """Choices of Hypothesis, given the `draw` of a composite strategy."""
    return lambda low, high: draw(st.integers(low, high))


def from_key(key: str) -> Draw:
    """Choices that depend on a key alone."""
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
    return random.Random(seed).randint  # noqa: S311  (no secrets here)


def pick(draw: Draw, values: Sequence[Value]) -> Value:
    """One of `values`, the first being the simplest; repeated values are drawn more often."""
    return values[draw(0, len(values) - 1)]
