"""Labelled cases, as what rules speak of, and for each condition the set of cases where it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from convcheck.model.case import Case
from convcheck.model.rules import Facts, Rule, facts

Label: TypeAlias = Callable[[Case], bool | None]
"""Whether a case fails; None if it could not have, or failed of something else."""

Labelled: TypeAlias = list[tuple[Case, bool]]
"""Cases, each with whether it fails."""

MOST_CASES: Final = 300
"""Cases that are asked to learn one condition, a bound on the calls: the single changes of the base first, then rounds
of queries. Pruning and measuring the rule take one round more each."""


@dataclass(frozen=True, slots=True)
class Conjunction:
    """A rule in the making: its conditions."""

    parts: tuple[str, ...]

    @property
    def rule(self) -> Rule:
        """All of them at once."""
        return _joined(self.parts)

    def without(self, part: str) -> Conjunction:
        """All of them but one."""
        return Conjunction(tuple(p for p in self.parts if p != part))

    def holds(self, case: Case) -> bool:
        """Whether it holds for a case."""
        return self.rule.holds(facts(case))


@lru_cache(maxsize=1024)
def _joined(parts: tuple[str, ...]) -> Rule:
    """Conditions as one rule, made once: thousands of cases are looked through with each."""
    several = len(parts) > 1
    return Rule(" and ".join(f"({text})" if several and " or " in text else text for text in parts))


class Samples:
    """Labelled cases, numbered; a set of them is an integer whose bits are the numbers.

    Attributes:
        asked: how many cases have been asked.
        failing: the set of those that fail.
        passing: the set of those that pass.
        known: what rules may ask, by number.
        cases: the cases themselves, by number.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.failing = 0
        self.passing = 0
        self.known: list[Facts] = []
        self.cases: list[Case] = []
        self._tokens: set[str] = set()
        self._masks: dict[str, tuple[int, int]] = {}

    def ask(self, cases: Iterable[Case], label: Label, most: int = MOST_CASES) -> Labelled:
        """The labels of cases that are new and have one, while fewer than `most` have been asked."""
        found = []
        for case in cases:
            if case.token in self._tokens or self.asked >= most:
                continue
            self.asked += 1
            fails = label(case)
            if fails is not None:
                found.append((case, fails))
        return found

    def add(self, labelled: Iterable[tuple[Case, bool]]) -> None:
        """Learn from cases that are new."""
        for case, fails in labelled:
            if case.token in self._tokens:
                continue
            bit = 1 << len(self.known)
            self.failing |= bit if fails else 0
            self.passing |= 0 if fails else bit
            self.known.append(facts(case))
            self.cases.append(case)
            self._tokens.add(case.token)

    @property
    def failing_cases(self) -> list[Case]:
        """Those that fail, in the order in which they were learnt."""
        return [case for at, case in enumerate(self.cases) if self.failing >> at & 1]

    @property
    def labelled(self) -> Labelled:
        """All of them, in the order in which they were learnt."""
        return [(case, bool(self.failing >> at & 1)) for at, case in enumerate(self.cases)]

    def __contains__(self, case: Case) -> bool:
        return case.token in self._tokens

    def mostly_pass(self, found: Conjunction, part: str) -> bool:
        """Whether of the cases that one condition of a rule alone rules out more pass than fail."""
        ruled_out = self.mask(found.without(part).rule.text) & ~self.mask(part)
        return (ruled_out & self.passing).bit_count() > (ruled_out & self.failing).bit_count()

    def mask(self, text: str) -> int:
        """The set of cases where a condition holds."""
        seen, mask = self._masks.get(text, (0, 0))
        for at, holds in enumerate(Rule(text).holding(self.known[seen:]), seen):
            mask |= holds << at
        self._masks[text] = len(self.known), mask
        return mask
