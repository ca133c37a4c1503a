"""Hypothesis' engine with choices of our own: an alternative backend that answers each test case from a `Draw`.

Hypothesis' own provider mixes constants of whatever local modules are loaded into large ranges, and changes its
distributions from release to release. Answered here, the same seed gives the same cases in any process, under any
release of Hypothesis. Source: Hypothesis' documentation, "Alternative backends for Hypothesis".
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import count
from typing import Any, ClassVar, Final

from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, PrimitiveProvider

from convcheck.strategies.draws import Draw, from_key

NAME: Final = "convcheck"
"""As `settings(backend="convcheck")` has it, for tests of one's own."""

_UNBOUNDED: Final = 1 << 32
_LONGEST: Final = 16
_FLOATS: Final = (0.0, 1.0, -1.0, 0.5, float("inf"), -float("inf"), float("nan"))


class Provider(PrimitiveProvider):
    """Answers the choices of one test case after another by one `Draw` after another.

    By default the draws of the keys "0", "1", …; `answering` makes one for others.
    """

    lifetime = "test_function"
    draws: ClassVar[Iterator[Draw] | None] = None

    def __init__(self, conjecturedata: Any, /) -> None:
        super().__init__(conjecturedata)
        self._draws = self.draws or (from_key(str(number)) for number in count())
        self._draw = from_key("")

    def per_test_case_context_manager(self) -> AbstractContextManager[None]:
        """The next test case takes the next draw."""
        self._draw = next(self._draws)
        return nullcontext()

    def draw_integer(
        self,
        min_value: int | None = None,
        max_value: int | None = None,
        *,
        weights: dict[int, float] | None = None,
        shrink_towards: int = 0,
    ) -> int:
        """An integer in the range; in one without a bound, not far from the other bound or from 0."""
        del weights, shrink_towards  # hints
        low = min_value if min_value is not None else (0 if max_value is None else max_value) - _UNBOUNDED
        return self._draw(low, low + 2 * _UNBOUNDED if max_value is None else max_value)

    def draw_boolean(self, p: float = 0.5) -> bool:
        """True with probability p."""
        if p in (0, 1):
            return bool(p)
        return self._draw(1, _UNBOUNDED) <= p * _UNBOUNDED

    def draw_float(
        self,
        *,
        min_value: float = -float("inf"),
        max_value: float = float("inf"),
        allow_nan: bool = True,
        smallest_nonzero_magnitude: float,
    ) -> float:
        """A special value or any pattern of 64 bits; where that is outside the range, something at its edge."""

        def allowed(value: float) -> bool:
            if math.isnan(value):
                return allow_nan
            signed = (value, math.copysign(1.0, value))  # -0.0 lies below 0.0
            inside = (min_value, math.copysign(1.0, min_value)) <= signed <= (max_value, math.copysign(1.0, max_value))
            return inside and not 0 < abs(value) < smallest_nonzero_magnitude

        if self._draw(0, 3) == 3:
            value = _FLOATS[self._draw(0, len(_FLOATS) - 1)]
        else:
            (value,) = struct.unpack("<d", struct.pack("<Q", self._draw(0, (1 << 64) - 1)))
        least = smallest_nonzero_magnitude
        return next(filter(allowed, (value, 0.0, -0.0, least, -least, min_value, max_value)))

    def draw_string(self, intervals: Any, *, min_size: int = 0, max_size: int = 10**10) -> str:
        """A string of a few characters more than the least."""
        if not intervals:
            return ""
        size = self._draw(min_size, min(max_size, min_size + _LONGEST))
        return "".join(chr(intervals[self._draw(0, len(intervals) - 1)]) for _ in range(size))

    def draw_bytes(self, min_size: int = 0, max_size: int = 10**10) -> bytes:
        """A few bytes more than the least."""
        size = self._draw(min_size, min(max_size, min_size + _LONGEST))
        return bytes(self._draw(0, 255) for _ in range(size))


@contextmanager
def answering(draws: Iterator[Draw]) -> Iterator[str]:
    """The name of a backend that answers one test case after another by these draws; `settings` takes it.

    Hypothesis makes a test case of its own before all others, of the first of every choice: it takes no draw.
    """
    bound = type("BoundProvider", (Provider,), {"draws": draws})
    name = f"{NAME} {id(bound)}"
    AVAILABLE_PROVIDERS[name] = bound
    try:
        yield name
    finally:
        del AVAILABLE_PROVIDERS[name]
