"""From failures to findings: one for each distinct cause, not for each case.

Failures of one symptom are taken one by one, the simplest first: it is shrunk, its trigger learnt and its
lookalikes sought; whatever the trigger or the lookalike accounts for is explained. Findings with the same
lookalike, or the same trigger, are one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from convcheck.case import Case
from convcheck.defects import DEFECTS, Defect
from convcheck.diagnosis.examine import Diagnosis, examine, examine_with_history, reproduces
from convcheck.execution.candidate import Candidate
from convcheck.execution.judging import Failure
from convcheck.findings.bench import MOST_CALLS, Bench, Excluded, nothing_excluded
from convcheck.findings.history import needed_before
from convcheck.findings.shrink import shrink
from convcheck.findings.symptom import PRECISION, RESULT, Symptom
from convcheck.oracles.exercised import PLAIN
from convcheck.record import Finding
from convcheck.rules import facts
from convcheck.verdicts import Verdict

HARMLESS: Final = tuple(defect for defect in DEFECTS if not defect.fatal)
"""The defects that can be run beside a candidate, in this process."""

MOST_PER_SYMPTOM: Final = 6
"""Findings per symptom; a candidate that is wrong everywhere would give hundreds."""

ATTEMPTS: Final = 3
"""Repetitions of a smallest case, each on a fresh candidate."""

_RESERVED: Final = 20 * ATTEMPTS
"""Calls for the repetitions of one case."""

_EVERYWHERE: Final = frozenset({"C2D-ARITH-1", "C2D-ARITH-2"})

_FIRST_LOOKS: Final = 5
_CHECKED: Final = 20
_LATE: Final = {PRECISION: 1, "special": 2, "module": 3}
"""What may follow from a wrong result on integers, or on reals: looked at after these."""
_MOSTLY: Final = 0.9
_HISTORY: Final = 800
"""Calls that may go into finding out what has to run before a failure."""


@dataclass(slots=True)
class _Cause:
    """A finding in the making, and the failures that it explains."""

    finding: Finding
    symptom: Symptom
    legal: bool
    diagnosis: Diagnosis
    explains: list[Failure] = field(default_factory=list)
    also: list[Symptom] = field(default_factory=list)
    untold: int = 0

    @property
    def unsteady(self) -> bool:
        """Whether the failure needs others before it, or does not always repeat."""
        return bool(self.finding.before) or self.finding.reproduced < self.finding.attempts

    def accounts_for(self, failure: Failure) -> bool:
        """By the trigger or the lookalike's region; without a trigger, by the clauses that are needed."""
        if self.legal is not (failure.case.violation is None):
            return False
        trigger, defect = self.diagnosis.trigger, self.diagnosis.defect
        if trigger is None:
            # a plain layer's clauses are those of every layer
            needed = set(self.finding.clauses) - PLAIN - _EVERYWHERE
            return bool(needed) and needed <= set(failure.verdict.clauses)
        found = facts(failure.case)
        return trigger.rule.holds(found) or (defect is not None and defect.region.holds(found))


def collect(
    candidate: Candidate,
    failures: Sequence[Failure],
    cases_of_block: Callable[[int], Sequence[Case]],
    *,
    excluded: Excluded = nothing_excluded,
    defects: Sequence[Defect] = HARMLESS,
    most_calls: int = MOST_CALLS,
) -> tuple[Finding, ...]:
    """One finding for each distinct cause among the failures.

    Args:
        candidate: to shrink, diagnose and repeat with.
        failures: in the order of the run.
        cases_of_block: the cases of a block, for failures that depend on what ran before.
        excluded: failures that are known; no case that a finding shows is one.
        defects: that the candidate may behave like; none of them may end its process.
        most_calls: of the candidate; what they do not suffice for is counted as not told apart.
    """
    bench = Bench(candidate, excluded, most_calls)
    by_symptom: dict[Symptom, list[Failure]] = {}
    for failure in failures:
        by_symptom.setdefault(Symptom.of(failure.verdict), []).append(failure)
    causes: list[_Cause] = []
    # a wrong output often has wrong gradients for an echo
    for symptom in sorted(by_symptom, key=lambda s: (_LATE.get(s.sort, 0), s.backward)):
        remaining = by_symptom[symptom]
        for cause in causes:
            remaining = _echoes(bench, symptom, cause, remaining)
        wrong = next((cause for cause in causes if cause.symptom.of_output), None)
        if symptom.relational and wrong is not None:
            # a relation breaks wherever one of its images is wrong, so it tells nothing new here
            wrong.explains += remaining
            continue
        found: list[_Cause] = []
        while remaining and len(found) < MOST_PER_SYMPTOM and (bench.left > 0 or not found):
            cause = _cause(bench, symptom, remaining, cases_of_block, defects)
            cause.explains = _explained(bench, cause, remaining)
            remaining = _without(remaining, cause.explains)
            found.append(cause)
        if remaining:
            found[-1].untold = len(remaining)
            found[-1].explains += remaining
        causes += found
    return tuple(_finished(cause) for cause in _merged(bench, causes))


def _cause(
    bench: Bench,
    symptom: Symptom,
    remaining: Sequence[Failure],
    cases_of_block: Callable[[int], Sequence[Case]],
    defects: Sequence[Defect],
) -> _Cause:
    bench.fresh()
    simplest = sorted(remaining, key=_size)
    first = next((f for f in simplest[:_FIRST_LOOKS] if bench.failing(f.case, symptom) is not None), None)
    before: tuple[Case, ...] = ()
    if first is None:
        first = remaining[0]
        smallest, verdict = first.case, first.verdict
    else:
        smallest = shrink(first.case, lambda case: bench.failing(case, symptom) is not None)
        verdict = bench.failing(smallest, symptom) or first.verdict
    left, bench.left = bench.left, max(bench.left, _RESERVED)  # a finding says how often it repeats in any case
    reproduced, repeated = _repeated(bench, smallest, symptom, before)
    if not reproduced:
        smallest, verdict = first.case, first.verdict
        before = _history(bench, symptom, first, cases_of_block)
        reproduced, repeated = _repeated(bench, smallest, symptom, before)
    bench.left = min(left, bench.left)
    verdict = repeated or verdict
    alike = [f.case for f in simplest if f is not first]
    stateless = reproduced == ATTEMPTS and not before
    diagnosis = Diagnosis()
    if stateless:
        diagnosis = examine(bench, symptom, smallest, alike, defects)
    elif before:
        diagnosis = examine_with_history(bench, symptom, before, smallest, defects)
    finding = Finding(
        backend=bench.candidate.name,
        clause=verdict.clauses[0] if verdict.clauses[0] not in PLAIN else verdict.clauses[-1],
        clauses=verdict.clauses,
        oracle=verdict.oracle,
        quantity=verdict.quantity,
        status=verdict.status,
        token=smallest.token,
        found_as=first.case.token,
        before=tuple(case.token for case in before),
        reason=verdict.reason,
        margin=verdict.margin,
        evidence=verdict.evidence,
        reproduced=reproduced,
        attempts=ATTEMPTS,
        trigger=diagnosis.trigger,
        lookalikes=diagnosis.lookalikes,
        whereabouts=diagnosis.whereabouts,
        standalone=not before and bench.alone(smallest, symptom),
        arbitration=bench.arbitrated(smallest) if stateless and symptom.of_output and bench.left > 0 else "",
    )
    return _Cause(finding, symptom, first.case.violation is None, diagnosis)


def _size(failure: Failure) -> tuple[int, int, int]:
    """How much there is to a case: work first, for the candidate's sake."""
    case = failure.case
    if case.violation is not None:
        return 0, len(case.token), failure.block
    return case.params.multiply_adds(case.input_shape), len(case.token), failure.block


def _repeated(bench: Bench, case: Case, symptom: Symptom, before: Sequence[Case]) -> tuple[int, Verdict | None]:
    """How often a case fails again, each time on a fresh candidate, and the last failing verdict."""
    last: Verdict | None = None
    count = 0
    for _ in range(ATTEMPTS):
        found = _after(bench, before, case, symptom)
        count += found is not None
        last = found or last
    return count, last


def _after(bench: Bench, before: Sequence[Case], case: Case, symptom: Symptom) -> Verdict | None:
    bench.fresh()
    for earlier in before:
        bench.failing(earlier, symptom)
    return bench.again(case, symptom)


def _history(
    bench: Bench, symptom: Symptom, first: Failure, cases_of_block: Callable[[int], Sequence[Case]]
) -> tuple[Case, ...]:
    earlier = cases_of_block(first.block)[: first.position]
    least = bench.left - _HISTORY

    def fails_after(some: Sequence[Case]) -> bool:
        return bench.left > least and _after(bench, some, first.case, symptom) is not None

    return needed_before(earlier, fails_after)


def _explained(bench: Bench, cause: _Cause, remaining: Sequence[Failure]) -> list[Failure]:
    """The failures that a cause accounts for, without those that its lookalike does not reproduce."""
    if cause.unsteady:
        return _unsteady(bench, cause, remaining)
    inside = [f for f in remaining if f.case.token == cause.finding.found_as or cause.accounts_for(f)]
    return _without(inside, _contradicting(bench, cause.symptom, cause, inside))


def _unsteady(bench: Bench, cause: _Cause, remaining: Sequence[Failure]) -> list[Failure]:
    """The failures that do not fail by themselves; of many, the simplest are asked."""
    bench.fresh()
    alike = [f for f in sorted(remaining, key=_size) if cause.legal is (f.case.violation is None)]
    steady = [f for f in alike[:_CHECKED] if bench.failing(f.case, cause.symptom) is not None]
    first = [f for f in steady if f.case.token == cause.finding.found_as]
    return _without(alike, _without(steady, first))


def _echoes(bench: Bench, symptom: Symptom, cause: _Cause, remaining: list[Failure]) -> list[Failure]:
    """What is left of the failures of one symptom when those are gone that have a cause found already."""
    inside = [f for f in remaining if cause.accounts_for(f)]
    if not inside or cause.unsteady:
        return remaining
    if _follows(symptom, cause):
        echoes = inside
    elif cause.diagnosis.defect is not None:
        echoes = _without(inside, _contradicting(bench, symptom, cause, inside))
    else:
        return remaining
    if echoes:
        cause.explains += echoes
        cause.also.append(symptom)
    return _without(remaining, echoes)


def _follows(symptom: Symptom, cause: _Cause) -> bool:
    """Whether a cause has a symptom for its consequence wherever its trigger holds.

    What a function gets wrong on integers, it gets wrong on reals, special values among them or not, and
    in a module that calls it.
    """
    if cause.diagnosis.trigger is None or cause.symptom.sort not in (RESULT, PRECISION):
        return False
    later = _LATE.get(symptom.sort, 0) > _LATE.get(cause.symptom.sort, 0)
    return later and (
        symptom.quantity == cause.symptom.quantity or (symptom.sort, cause.symptom.backward) == ("module", False)
    )


def _contradicting(bench: Bench, symptom: Symptom, cause: _Cause, inside: Sequence[Failure]) -> list[Failure]:
    """The failures that the lookalike of a cause does not reproduce, of the simplest; all if it does none."""
    defect = cause.diagnosis.defect
    if defect is None:
        return []
    checked = sorted(inside, key=_size)[:_CHECKED]
    wrong = [f for f in checked if not reproduces(bench, symptom, f.case, defect)]
    return list(inside) if len(wrong) == len(checked) and symptom != cause.symptom else wrong


def _without(failures: Sequence[Failure], others: Sequence[Failure]) -> list[Failure]:
    gone = {id(f) for f in others}
    return [f for f in failures if id(f) not in gone]


def _merged(bench: Bench, causes: Sequence[_Cause]) -> list[_Cause]:
    """Causes that are one: the first that has a lookalike stands for the rest."""
    merged: list[_Cause] = []
    for cause in sorted(causes, key=lambda c: c.diagnosis.defect is None):
        known = next((m for m in merged if _same(bench, m, cause)), None)
        if known is None:
            merged.append(cause)
            continue
        known.explains += cause.explains
        known.untold += cause.untold
        known.also += [s for s in (cause.symptom, *cause.also) if s != known.symptom]
    order = {id(cause): at for at, cause in enumerate(causes)}
    return sorted(merged, key=lambda c: order[id(c)])


def _same(bench: Bench, a: _Cause, b: _Cause) -> bool:
    """Whether two causes are one."""
    if a.legal is not b.legal or a.unsteady is not b.unsteady:
        return False
    if a.unsteady:  # what state does to one quantity it may do to another
        return bool(a.finding.before) is bool(b.finding.before)
    names = [{found.name for found in c.finding.lookalikes} for c in (a, b)]
    if all(names):
        return bool(names[0] & names[1])
    if any(names):  # the first of the two: a name is never given to what it does not reproduce
        return not _contradicting(bench, b.symptom, a, b.explains)
    return _same_trigger(a, b)


def _same_trigger(a: _Cause, b: _Cause) -> bool:
    first, second = (c.diagnosis.trigger for c in (a, b))
    if first is None or second is None:
        return (a.symptom, a.finding.token) == (b.symptom, b.finding.token)
    if a.symptom == b.symptom:  # the later rule may cover the earlier one's failures too
        covered = sum(second.rule.holds(facts(f.case)) for f in a.explains if f.case.violation is None)
        return covered >= _MOSTLY * len(a.explains)
    # "always" says nothing about a cause
    return first.rule == second.rule and first.rule.text != ""


def _finished(cause: _Cause) -> Finding:
    return replace(
        cause.finding,
        hits=len(cause.explains),
        dtypes=tuple(sorted({f.case.dtype for f in cause.explains})),
        also=tuple(dict.fromkeys(s.quantity for s in cause.also if s.quantity != cause.symptom.quantity)),
        not_told_apart=cause.untold,
    )
