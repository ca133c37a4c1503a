"""What a diagnosis says about a finding: plain data, which the record carries.

It is made in `convcheck.triage.diagnosis`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from convcheck.model.levels import Level
from convcheck.model.rules import Rule

ENOUGH_ATTEMPTS: Final = 100
"""Cases drawn to break a rule, none of which does, before it is said to hold exactly where the failure is: a rule that
is wrong about one in thirty of them survives with a probability of one in thirty."""

Shares: TypeAlias = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class FailureCondition:
    """When a case fails, as far as cases say that were drawn to break the rule.

    Where others are known to contradict a rule that these do not break, it is what all say.

    Attributes:
        rule: holds where it fails.
        precision: share of these cases that fail, of those for which the rule holds.
        recall: share of these cases for which the rule holds, of those that fail.
        cases: how many there were.
        elsewhere: other cases that are known to fail in the same way, for which it does not hold.
    """

    rule: Rule
    precision: float
    recall: float
    cases: int
    elsewhere: int = 0

    @property
    def exact(self) -> bool:
        """Whether none of enough attempts broke the rule, and nothing is known to fail elsewhere."""
        return self.unbroken and not self.elsewhere

    @property
    def unbroken(self) -> bool:
        """Whether none of enough attempts broke the rule."""
        return self.cases >= ENOUGH_ATTEMPTS and self.precision == self.recall == 1.0

    @property
    def balance(self) -> float:
        """The harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    @property
    def words(self) -> str:
        """When it fails, to go behind "fails", "is wrong" and the like: "iff batch > 1"."""
        if self.exact:
            return f"iff {self.rule}" if self.rule.text else "always"
        if self.unbroken:
            return f"wherever {self.rule}, and in {self.elsewhere} known cases elsewhere"
        return f"mostly where {self.rule}" if self.rule.text else "mostly, whatever the parameters"

    def __str__(self) -> str:
        """The rule as a sentence, with its evidence."""
        figures = f"precision {_shown(self.precision)}, recall {_shown(self.recall)}"
        cases = f"{self.cases} cases drawn to break the rule" if self.unbroken else f"{self.cases} cases"
        return f"fails {self.words} ({figures} on {cases})"


def _shown(share: float) -> str:
    """A share, 1.00 only where there is no exception."""
    return f"{share if share == 1.0 else min(share, 0.99):.2f}"


@dataclass(frozen=True, slots=True)
class KnownDefectMatch:
    """A defect of the library that gave the candidate's results in every case where both were asked.

    Attributes:
        name: of the defect.
        summary: completes "behaves like …".
        matched: cases with wrong elements in which it gave the candidate's.
        tried: cases asked, those where both are right included.
    """

    name: str
    summary: str
    matched: int
    tried: int

    def __str__(self) -> str:
        """As a sentence."""
        return f"behaves like {self.summary} ({self.name}: equal in {self.tried} cases, {self.matched} of them wrong)"


@dataclass(frozen=True, slots=True)
class ExplainingPromise:
    """A promise that was not made, and that explains every failure which was looked at.

    Attributes:
        words: what is given up, and on which paths.
        declaration: the argument of `Capabilities` to paste.
        failing: failing cases that keep it.
        fresh: other cases, which were asked under it.
        level: what is given up with it.
    """

    words: str
    declaration: str
    failing: int
    fresh: int
    level: Level = Level.PRECISION

    def __str__(self) -> str:
        """As a sentence."""
        cases = f"{self.failing} failing and {self.fresh} fresh cases"
        declared = " ".join(self.declaration.split())
        return f"every failure is explained by: {self.words} ({cases}); declare {declared}"


@dataclass(frozen=True, slots=True)
class HeatMap:
    """The share of wrong elements in each cell of a plane of a result; at most 16 × 16 cells.

    Attributes:
        rows: what the rows stand for: "rows 0–31".
        columns: what the columns stand for.
        shares: row by row, each from 0 to 1.
    """

    rows: str
    columns: str
    shares: Shares


@dataclass(frozen=True, slots=True)
class Localization:
    """Where the wrong elements of a telling case sit; the smallest case is often too small to show it.

    Attributes:
        token: the case.
        words: where, in words.
        maps: the same as pictures: over rows and columns, and over images and channels.
    """

    token: str
    words: str
    maps: tuple[HeatMap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What was found out about the cause of a finding.

    Attributes:
        failure_condition: when it fails; None where that was not learnt, as for illegal cases.
        known_defects: the defects of the library that the candidate behaves like, the best match first.
        localization: where a telling case is wrong; None where no result of the right shape came back.
        cross_check: whether the reference could be at fault, in words; empty where it was not looked at.
        promise: the promise that explains every failure, where one does; then it may be no defect.
        declaration: what it seems not to support, and how it would declare that; empty where it is no such thing.
        free: parameters of the smallest case any other value of which, changed alone, fails as well, as far as it was
            tried; empty where it was not looked at.
    """

    failure_condition: FailureCondition | None = None
    known_defects: tuple[KnownDefectMatch, ...] = ()
    localization: Localization | None = None
    cross_check: str = ""
    promise: ExplainingPromise | None = None
    declaration: str = ""
    free: tuple[str, ...] = ()
