"""The tally of a number of cases: what they came to, and how verdicts are counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from convcheck.model.case import Case
from convcheck.model.coverage import features
from convcheck.model.history import History
from convcheck.model.levels import Level
from convcheck.model.origins import Origin
from convcheck.model.passes import Key, pass_of
from convcheck.model.reach import Reach
from convcheck.model.verdicts import FAILURES, JUDGED, Status, Verdict
from convcheck.numerics.precision import Ratios
from convcheck.oracles import find
from convcheck.oracles.levels import kind_at, level_of, levels_shown
from convcheck.strategies.parameter_model import Classes, classify

MEASURED: Final = 1000
"""Legal cases, the first, in which pairs and triples of classes are counted."""

Shown: TypeAlias = Callable[[Case, Verdict], Sequence[Level]]
"""The levels at which a passing verdict on a case counts."""

_RANK = {Status.PASS: 2, Status.VACUOUS: 1, Status.NOT_APPLICABLE: 0}


@dataclass(frozen=True, slots=True)
class Failure:
    """A failing verdict, and where in the run it came up.

    Attributes:
        block: the index of the part of the run.
        position: of the case in it.
        case: the case; of a history, that of its last step.
        verdict: on the case.
        origin: how the case came about.
        history: the calls that lead to it, where it is a history that fails.
    """

    block: int
    position: int
    case: Case
    verdict: Verdict
    origin: Origin = Origin.DRAWN
    history: History | None = None


@dataclass(slots=True)
class Tally:
    """What a number of cases came to; tallies add up.

    Attributes:
        cases: number of cases.
        origins: cases by how they came about, and histories, which are no cases.
        counts: cases by (clause, status, reason), failures excepted.
        right: cases by clause, dtype and pass, in which that was judged and right.
        wrong: likewise, and wrong; failures that are known are among them.
        levels: cases, and histories, by a level at which they were judged and nothing was wrong, and by the kind of
            their illegal arguments.
        margins: the largest margin by "dtype quantity".
        failures: in the order of the cases.
        coverage: cases by feature.
        classes: those of the first `MEASURED` legal cases, in which interactions are counted.
        reach: what was reached by legal cases whose values were compared.
        searched: by index, the cases of the searched parts in which one failed: only the candidate can repeat the way
            to them.
        calls: by quantity, how many calls were found to give it right.
        precision_samples: error ratios of some cases.
        seconds: wall time by part, none of which holds another.
    """

    cases: int = 0
    origins: Counter[Origin] = field(default_factory=Counter)
    counts: Counter[tuple[str, Status, str]] = field(default_factory=Counter)
    right: Counter[Key] = field(default_factory=Counter)
    wrong: Counter[Key] = field(default_factory=Counter)
    levels: Counter[tuple[Level, str]] = field(default_factory=Counter)
    margins: dict[str, float] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    coverage: Counter[tuple[str, str]] = field(default_factory=Counter)
    classes: list[Classes] = field(default_factory=list)
    reach: Reach = field(default_factory=Reach)
    searched: dict[int, Sequence[Case]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    precision_samples: list[Ratios] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=partial(defaultdict, float))

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.cases += other.cases
        self.origins.update(other.origins)
        self.counts.update(other.counts)
        self.right.update(other.right)
        self.wrong.update(other.wrong)
        self.levels.update(other.levels)
        for key, margin in other.margins.items():
            self.margins[key] = max(margin, self.margins.get(key, 0.0))
        self.failures.extend(other.failures)
        self.coverage.update(other.coverage)
        self.classes.extend(other.classes[: MEASURED - len(self.classes)])
        self.reach.add(other.reach)
        self.searched.update(other.searched)
        self.calls.update(other.calls)
        self.precision_samples.extend(other.precision_samples)
        for part, seconds in other.seconds.items():
            self.seconds[part] += seconds


def count(tally: Tally, case: Case, verdicts: Sequence[Verdict], shown: Shown = levels_shown) -> None:
    """Count what the verdicts on a case say; its failures are left to whoever knows where it came up.

    Args:
        tally: they are counted in.
        case: the case.
        verdicts: all of them.
        shown: says at which levels a passing one counts.
    """
    tally.cases += 1
    tally.coverage.update(features(case))
    if case.violation is None:
        tally.classes.append(classify(case))
    if case.violation is None and any(v.status in JUDGED and find(v.oracle).compares_values for v in verdicts):
        tally.reach.look_at(case)
    tally.levels.update((level, kind_at(level, case)) for level in _levels_passed(case, verdicts, shown))
    _count_passes(tally, case, verdicts)
    best: dict[str, Verdict] = {}
    failed = {clause for verdict in verdicts if verdict.status in FAILURES for clause in verdict.clauses}
    for verdict in verdicts:
        if verdict.margin is not None:
            key = f"{case.dtype} {verdict.quantity}"
            tally.margins[key] = max(verdict.margin, tally.margins.get(key, 0.0))
        if verdict.status in FAILURES:
            continue
        if verdict.status is Status.PASS and verdict.calls:
            tally.calls[verdict.quantity] += verdict.calls
        for clause in verdict.clauses:
            if clause not in best or _RANK[verdict.status] > _RANK[best[clause].status]:
                best[clause] = verdict
    tally.counts.update((c, v.status, v.reason) for c, v in best.items() if c not in failed)


def _count_passes(tally: Tally, case: Case, verdicts: Sequence[Verdict]) -> None:
    """Count a case for each clause and pass in which it was right, or wrong."""
    judged = {(v.quantity, v.status, v.clauses) for v in verdicts if v.status in JUDGED}
    keys = [((c, case.dtype, pass_of(q)), status) for q, status, clauses in judged for c in clauses]
    wrong = {key for key, status in keys if status in FAILURES}
    tally.wrong.update(wrong)
    tally.right.update({key for key, _ in keys} - wrong)


def _levels_passed(case: Case, verdicts: Sequence[Verdict], shown: Shown) -> set[Level]:
    """The levels at which a case was judged and nothing was wrong."""
    # hundreds of calls give as many verdicts that differ in nothing else
    judged = {(v.oracle, v.status, v.level): v for v in verdicts if v.status in JUDGED}.values()
    passed = {level for v in judged if v.status is Status.PASS for level in shown(case, v)}
    return passed - {level_of(case, v) for v in judged if v.status in FAILURES}
