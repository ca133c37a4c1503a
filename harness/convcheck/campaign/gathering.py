"""Gathering what the parts of a run come to, in memory that does not grow with the run.

Of failures that are alike some hundreds are kept, which is more than causes are ever looked for in; those beyond are
counted as they come. So are samples of the precision.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from convcheck.campaign.counting import Row, rows_of
from convcheck.campaign.known_failures import Known, KnownFailure
from convcheck.judging.tally import Failure, Tally
from convcheck.model.levels import Level
from convcheck.model.origins import Origin
from convcheck.model.profiles import Quantity
from convcheck.oracles.levels import kind_at, level_of
from convcheck.triage.priority import Group

MOST_ALIKE: Final = 2000
"""Failing cases of a kind that are kept: causes are looked for in far fewer, and each holds some kilobytes."""

MOST_SAMPLES: Final = 400
"""Cases, the first of a dtype and quantity, that say in which precision it is computed."""


@dataclass(slots=True)
class Beyond:
    """The failing cases that are not kept.

    Attributes:
        origins: by how they came about.
        levels: by level and kind of illegal arguments; of failures that nobody knows of.
        known: by the entry that covers one of their failures.
        rows: what is counted of them for each clause.
    """

    origins: Counter[Origin] = field(default_factory=Counter)
    levels: Counter[tuple[Level, str]] = field(default_factory=Counter)
    known: Counter[KnownFailure] = field(default_factory=Counter)
    rows: Counter[Row] = field(default_factory=Counter)


@dataclass(slots=True)
class Gathered:
    """The tallies of a run, in their order.

    Attributes:
        spec: the backend.
        entries: what is known to fail.
        tally: of all cases, with the failures that are kept.
        beyond: the failing cases that are not.
    """

    spec: str
    entries: Known
    tally: Tally = field(default_factory=Tally)
    beyond: Beyond = field(default_factory=Beyond)
    _alike: Counter[Hashable] = field(default_factory=Counter)
    _samples: Counter[tuple[str, Quantity]] = field(default_factory=Counter)

    @property
    def failing(self) -> int:
        """How many failing verdicts there were, of failing cases that are not kept the cases."""
        return len(self.tally.failures) + self.beyond.origins.total()

    def add(self, part: Tally) -> None:
        """Add the tally of the next part."""
        kept = list(self._kept(part.failures))
        part.failures = kept
        part.searched = {index: cases for index, cases in part.searched.items() if kept}
        part.precision_samples = [s for s in part.precision_samples if self._is_among_the_first(s.dtype, s.quantity)]
        self.tally.add(part)

    def _is_among_the_first(self, dtype: str, quantity: Quantity) -> bool:
        self._samples[dtype, quantity] += 1
        return self._samples[dtype, quantity] <= MOST_SAMPLES

    def _kept(self, failures: Iterable[Failure]) -> Iterable[Failure]:
        """The failures of the cases that are kept; a case is kept for any of its failures, with all of them."""
        for _, each in groupby(failures, lambda failure: (failure.origin, failure.block, failure.position)):
            case = list(each)
            kinds = {self._kind(failure) for failure in case}
            self._alike.update(kinds)
            if min(self._alike[kind] for kind in kinds) <= MOST_ALIKE:
                yield from case
            else:
                self._count(case)

    def _kind(self, failure: Failure) -> Hashable:
        return self.entries.entry(failure.case, failure.verdict) or Group.of(failure)

    def _count(self, case: Sequence[Failure]) -> None:
        known = [(failure, self.entries.entry(failure.case, failure.verdict)) for failure in case]
        self.beyond.origins[case[0].origin] += 1
        self.beyond.known.update({entry for _, entry in known if entry is not None})
        levels = ((level_of(f.case, f.verdict), f) for f, entry in known if entry is None)
        self.beyond.levels.update({(level, kind_at(level, f.case)) for level, f in levels})
        findings = {id(f): found for f in case for found, _ in self.entries.findings(self.spec, [f])}
        self.beyond.rows.update(rows_of(case, findings))
