"""Levels: what a verdict is about, from what matters to everybody down to what matters to some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Level(StrEnum):
    """What a verdict is about; the order is that of importance.

    COMPUTES: on legal layers and finite values, results, shapes and gradients are right, nothing crashes or hangs, and
    no memory outside is touched. IEEE: NaN, ±Inf, subnormal numbers and sums near overflow. PRECISION: errors are no
    larger than promised. REFUSES: illegal arguments raise. STATE: a result depends on the arguments of its own call
    only, and is the same every time.
    """

    COMPUTES = "computes"
    IEEE = "ieee"
    PRECISION = "precision"
    REFUSES = "refuses"
    STATE = "state"

    @property
    def label(self) -> str:
        """As reports show it."""
        return "IEEE" if self is Level.IEEE else str(self)

    @property
    def rank(self) -> int:
        """Its place in the order, 0 the most important."""
        return _ORDER.index(self)

    def within(self, last: Level) -> bool:
        """Whether it is `last` or more important: levels are asked for up to one."""
        return self.rank <= last.rank


_ORDER: Final = tuple(Level)

LAST: Final = _ORDER[-1]
"""The level up to which everything counts."""

MEANINGS: Final[Mapping[Level, str]] = MappingProxyType(
    {
        Level.COMPUTES: "results, shapes and gradients of legal layers on finite values; no crash, no memory outside",
        Level.IEEE: "NaN, ±Inf, subnormal numbers, sums near overflow",
        Level.PRECISION: "errors within what is promised",
        Level.REFUSES: "illegal arguments raise",
        Level.STATE: "no state between calls; the same result every time",
    }
)
"""Each level in one line."""

_OF_CLAUSES: Final[Mapping[str, Level]] = MappingProxyType(
    {
        **{f"C2D-SPECIAL-{number}": Level.IEEE for number in (1, 2, 3, 4, 6)},
        "C2D-ARITH-3": Level.IEEE,
        "C2D-ARITH-2": Level.PRECISION,
        "C2D-DTYPE-2": Level.PRECISION,
        "C2D-SPECIAL-5": Level.PRECISION,
        **{f"C2D-ERROR-{number}": Level.REFUSES for number in range(1, 13)},
        "C2D-ARITH-4": Level.STATE,
        "C2D-GRAD-10": Level.STATE,
        "C2D-GRAD-11": Level.STATE,
        **{f"C2D-PURE-{number}": Level.STATE for number in (4, 8, 9)},
    }
)


def level_of_clause(clause: str) -> Level:
    """The level at which a clause speaks; a failure that breaks it may be of another, as its own verdict says."""
    return _OF_CLAUSES.get(clause, Level.COMPUTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCount:
    """How many cases a level was judged in, known failures excepted.

    Attributes:
        backend: its name.
        level: the level.
        error_clause: that illegal arguments break, which is the kind of them; empty at the other levels.
        passed: cases, and histories, in which it was judged and nothing was wrong.
        failed: those in which something was, whatever its cause turned out to be.
    """

    backend: str
    level: Level
    error_clause: str = ""
    passed: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a backend stands at one level.

    Attributes:
        level: the level.
        findings: open ones.
        failures: that these explain; a case may have several.
        known: findings that known-failure entries cover.
        outdated: entries of known failures that pass now.
        passed: cases in which the level was judged and nothing was wrong.
        failed: those in which something was; more than none without a finding where the cause is of another level.
        not_looked_at: failing cases whose cause was not looked for, since calls or findings ran out.
        kinds: of illegal arguments that were judged, and those of them that were let through or ended the process.
    """

    level: Level
    findings: int = 0
    failures: int = 0
    known: int = 0
    outdated: int = 0
    passed: int = 0
    failed: int = 0
    not_looked_at: int = 0
    kinds: tuple[str, ...] = ()
    kinds_let_through: tuple[str, ...] = ()

    @property
    def judged(self) -> bool:
        """Whether anything was looked at that could have failed."""
        return bool(self.passed or self.failed or self.findings)

    @property
    def fails(self) -> bool:
        """Whether something is wrong that nobody knew of."""
        return bool(self.findings or self.not_looked_at or self.kinds_let_through)
