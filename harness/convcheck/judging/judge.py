"""Judging cases: the calls are made, then the oracles speak. The candidate runs before the reference."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from convcheck.execution.candidate import Candidate
from convcheck.judging.precision_sampling import sample_precision
from convcheck.model.calls import Call, Died, Hung, Outcome
from convcheck.model.case import Case
from convcheck.model.coverage import features
from convcheck.model.history import History
from convcheck.model.levels import Level
from convcheck.model.origins import Origin
from convcheck.model.passes import Key, pass_of
from convcheck.model.reach import Reach
from convcheck.model.verdicts import FAILURES, JUDGED, Status, Verdict
from convcheck.model.work import is_large
from convcheck.numerics.precision import Ratios
from convcheck.oracles import CALL, CallKey, Oracle, Trial, due, extra_calls, find, judge
from convcheck.oracles.levels import kind_at, level_of, levels_shown
from convcheck.oracles.parity import unspecified
from convcheck.strategies.parameter_model import Classes, classify

_SAMPLED = 8
"""The precision that a candidate computes in is looked at in one case of so many."""

_RARELY: Final = 8
"""Of layers that reach far, oracles with calls of their own are asked so many times less often: a call takes long."""

MEASURED: Final = 1000
"""Legal cases, the first, in which pairs and triples of classes are counted."""

Excluded: TypeAlias = Callable[[Case, Verdict], bool]
"""Whether a failing verdict on a case is known and so must not become a finding."""


def nothing_excluded(_case: Case, _verdict: Verdict) -> bool:
    """Every failure is a finding."""
    return False


Heard: TypeAlias = Callable[["Case | None", Sequence[Verdict], "Tally"], None]
"""Told of each case once it is judged, None for a history, with its verdicts and what it adds to the tally."""


def nobody(_case: Case | None, _verdicts: Sequence[Verdict], _tally: Tally) -> None:
    """Listens to nothing."""


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


def judge_case(
    candidate: Candidate, case: Case, oracles: Sequence[Oracle] | None = None
) -> tuple[tuple[Verdict, ...], float, float]:
    """The verdicts on one case, and the seconds spent in the candidate and in judging.

    Args:
        candidate: the candidate.
        case: the case.
        oracles: who judges; by default those that are due for this case.
    """
    _, verdicts, in_candidate, in_judging = _judged(candidate, case, oracles)
    return verdicts, in_candidate, in_judging


def _judged(
    candidate: Candidate, case: Case, oracles: Sequence[Oracle] | None
) -> tuple[Trial | None, tuple[Verdict, ...], float, float]:
    oracles = due(case) if oracles is None else oracles
    reason = candidate.capabilities.unsupported(case) or (unspecified(case) if case.violation else None)
    if reason is not None:
        return None, (Verdict("capabilities", "call", Status.NOT_APPLICABLE, ("",), reason),), 0.0, 0.0
    trial = Trial(case, candidate.capabilities)
    outcomes, in_candidate = _made(candidate, trial.calls)
    if any(isinstance(outcome, Died | Hung) for outcome in outcomes.values()):
        # nothing else counts then, and of the hundreds of calls of a soak each might end a process or take the limit
        oracles = tuple(o for o in oracles if not o.has_own_calls)
    elif extra := extra_calls(trial, oracles):
        more, seconds = _made(candidate, extra)
        outcomes, in_candidate = outcomes | more, in_candidate + seconds
    trial = trial.with_outcomes(outcomes)
    start = time.perf_counter()
    return trial, judge(trial, oracles), in_candidate, time.perf_counter() - start


def _made(candidate: Candidate, calls: Mapping[CallKey, Call]) -> tuple[dict[CallKey, Outcome], float]:
    """The outcomes of some calls, and the seconds that they took."""
    made = tuple(calls.values())  # tensors are drawn before the clock starts
    start = time.perf_counter()
    outcomes = candidate.call_all(made)
    return dict(zip(calls, outcomes, strict=True)), time.perf_counter() - start


class Judge:
    """Judges the cases of a part of a run one by one, and adds up what they come to.

    Args:
        candidate: the candidate.
        block: the index of the part.
        clause: only verdicts on this clause count; None for all.
        origin: how its cases come about.
        heard: told of each case.
        past: what the first cases of the part came to, where they have been judged before.
        past_cases: these.
    """

    def __init__(
        self,
        candidate: Candidate,
        block: int,
        clause: str | None = None,
        origin: Origin = Origin.DRAWN,
        *,
        heard: Heard = nobody,
        past: Tally | None = None,
        past_cases: Sequence[Case] = (),
    ) -> None:
        self.candidate = candidate
        self.tally = Tally()
        self._block = block
        self._clause = clause
        self._origin = origin
        self._heard = heard
        self._cases = list(past_cases)
        if past is not None:
            self.tally.add(past)

    def __call__(self, case: Case, oracles: Sequence[Oracle] | None = None) -> tuple[Verdict, ...]:
        """The verdicts on the next case, by default those of the oracles that are due."""
        start = time.perf_counter()
        one, position = Tally(), self.tally.cases
        if oracles is None and self._origin is Origin.REACH:
            oracles = due(case, _RARELY)
        trial, verdicts, in_candidate, in_judging = _judged(self.candidate, case, oracles)
        if trial is not None and position % _SAMPLED == 0 and not is_large(case):
            one.precision_samples += sample_precision(trial)
        if self._clause is not None:
            verdicts = tuple(v for v in verdicts if self._clause in v.clauses)
        _count(one, case, verdicts)
        one.origins[self._origin] += 1
        one.failures += [Failure(self._block, position, case, v, self._origin) for v in first_causes(verdicts)]
        one.seconds["candidate"] += in_candidate
        one.seconds["judging"] += in_judging
        one.seconds["bookkeeping"] += time.perf_counter() - start - in_candidate - in_judging
        self._cases.append(case)
        self.add(one, case, verdicts)
        return verdicts

    def add(self, one: Tally, case: Case | None = None, verdicts: Sequence[Verdict] = ()) -> None:
        """Add what a case or a history comes to, and tell of it."""
        self.tally.add(one)
        if self._origin is Origin.SEARCHED and self.tally.failures:
            self.tally.searched[self._block] = self._cases
        self._heard(case, verdicts, one)


def judge_block(candidate: Candidate, cases: Sequence[Case], block: int, clause: str | None = None) -> Tally:
    """The tally of given cases.

    Args:
        candidate: the candidate.
        cases: the block.
        block: its number.
        clause: only verdicts on this clause count; None for all.
    """
    judge_next = Judge(candidate, block, clause)
    for case in cases:
        judge_next(case)
    return judge_next.tally


def first_causes(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The failing verdicts of one case, one a quantity: the first oracle's, without those that are redundant.

    A call that failed has no results to judge; a wrong result breaks the adjoint identity and the double
    backward as well.
    """
    failing = [v for v in verdicts if v.status in FAILURES]
    calls = [v for v in failing if v.quantity == CALL]
    refused = calls and calls[0].status is Status.WRONGLY_REFUSED
    if refused and any(find(v.oracle).explains_refusals for v in failing):
        failing = [v for v in failing if v.quantity != CALL]
    elif calls:
        return tuple(calls[:1])
    by_quantity: dict[str, Verdict] = {}
    for verdict in failing:
        by_quantity.setdefault(verdict.quantity, verdict)
    for quantity in [q for q, v in by_quantity.items() if find(v.oracle).redundant]:
        if len(by_quantity) > 1:
            del by_quantity[quantity]
    return tuple(by_quantity.values())


def _count(tally: Tally, case: Case, verdicts: Sequence[Verdict]) -> None:
    tally.cases += 1
    tally.coverage.update(features(case))
    if case.violation is None:
        tally.classes.append(classify(case))
    if case.violation is None and any(v.status in JUDGED and find(v.oracle).compares_values for v in verdicts):
        tally.reach.look_at(case)
    tally.levels.update((level, kind_at(level, case)) for level in _levels_passed(case, verdicts))
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


def _levels_passed(case: Case, verdicts: Sequence[Verdict]) -> set[Level]:
    """The levels at which a case was judged and nothing was wrong."""
    # hundreds of calls give as many verdicts that differ in nothing else
    judged = {(v.oracle, v.status, v.level): v for v in verdicts if v.status in JUDGED}.values()
    passed = {level for v in judged if v.status is Status.PASS for level in levels_shown(case, v)}
    return passed - {level_of(case, v) for v in judged if v.status in FAILURES}
