"""From failures to findings: one for each distinct cause, not for each case.

Failures of one symptom are taken one by one, the simplest first: it is shrunk, its trigger learnt and its
lookalikes sought; whatever the trigger or the lookalike accounts for is explained. Findings with the same
lookalike, or the same trigger, are one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from convcheck.defects import DEFECTS, Defect
from convcheck.execution.candidate import Candidate
from convcheck.judging.judge import Failure
from convcheck.model.case import Case
from convcheck.model.record import Finding
from convcheck.model.verdicts import Verdict
from convcheck.oracles.support.exercised import PLAIN
from convcheck.triage.attribution import echoes, explained
from convcheck.triage.causes import Cause, size, without
from convcheck.triage.deduplication import merged
from convcheck.triage.delta_debugging import minimal_setup
from convcheck.triage.diagnosis.examine import Diagnosis, examine, examine_with_history
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.priority import in_turn
from convcheck.triage.probe import MOST_CALLS, Bench, Budget, Excluded, nothing_excluded
from convcheck.triage.shrink import shrink

HARMLESS: Final = tuple(defect for defect in DEFECTS if not defect.fatal)
"""The defects that can be run beside a candidate, in this process."""

MOST_PER_SIGNATURE: Final = 6
"""Findings per symptom; a candidate that is wrong everywhere would give hundreds."""

ATTEMPTS: Final = 3
"""Repetitions of a smallest case, each on a fresh candidate."""

_RESERVED: Final = 20 * ATTEMPTS
"""Calls for the repetitions of one case."""

_MOST_BEFORE: Final = 20
"""Cases before a failure that anyone will repeat."""

_FIRST_LOOKS: Final = 5
_HISTORY: Final = 2000
"""Calls that may go into finding out what has to run before a failure."""


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
    bench = Bench(candidate, excluded, Budget(most_calls))
    by_symptom: dict[FailureSignature, Sequence[Failure]] = {}
    for failure in failures:
        symptom = FailureSignature.of(failure.verdict)
        by_symptom[symptom] = [*by_symptom.get(symptom, ()), failure]
    causes: list[Cause] = []
    order, put_off = in_turn(by_symptom), set[FailureSignature]()
    while order:
        symptom, *order = order
        remaining = _unexplained(bench, symptom, by_symptom[symptom], causes)
        first = _failing_by_itself(bench, symptom, remaining)
        of_state = [s for s in order if s.of_state]
        if remaining and first is None and of_state and symptom not in put_off:
            # what fails only after other cases may be what the oracles of state show in one
            put_off.add(symptom)
            by_symptom[symptom] = remaining
            order = [*of_state, symptom, *(s for s in order if s not in of_state)]
            continue
        found: list[Cause] = []
        while remaining and len(found) < MOST_PER_SIGNATURE and (bench.left > 0 or not found):
            cause = _cause(bench, symptom, remaining, first, cases_of_block, defects)
            cause.explains = explained(bench, cause, remaining)
            remaining = without(remaining, cause.explains)
            first = _failing_by_itself(bench, symptom, remaining)
            found.append(cause)
        if remaining:
            found[-1].untold = len(remaining)
            found[-1].explains += remaining
        causes += found
    return tuple(_finished(cause) for cause in merged(bench, causes))


def _unexplained(
    bench: Bench, symptom: FailureSignature, failures: Sequence[Failure], causes: Sequence[Cause]
) -> Sequence[Failure]:
    """The failures that are not consequences of a cause; each cause takes its own."""
    for cause in causes:
        echoing = echoes(bench, symptom, cause, failures)
        if echoing:
            cause.explains += echoing
            cause.also.append(symptom)
            failures = without(failures, echoing)
    return failures


def _failing_by_itself(bench: Bench, symptom: FailureSignature, remaining: Sequence[Failure]) -> Failure | None:
    """One of the simplest failures that repeats on a fresh candidate."""
    each_fresh, simplest = bench.forgetful(), sorted(remaining, key=size)[:_FIRST_LOOKS]
    return next((f for f in simplest if each_fresh.failing(f.case, symptom) is not None), None)


def _cause(
    bench: Bench,
    symptom: FailureSignature,
    remaining: Sequence[Failure],
    first: Failure | None,
    cases_of_block: Callable[[int], Sequence[Case]],
    defects: Sequence[Defect],
) -> Cause:
    bench.fresh()
    before: tuple[Case, ...] = ()
    remembers = first is not None and bench.remembers(first.case, symptom)
    own = bench.forgetful() if remembers else bench
    if first is None:
        first = remaining[0]
        smallest, verdict = first.case, first.verdict
    else:
        smallest = shrink(first.case, lambda case: own.failing(case, symptom) is not None)
        verdict = own.failing(smallest, symptom) or first.verdict
    budget = bench.budget
    left, budget.left = budget.left, max(budget.left, _RESERVED)  # a finding says how often it repeats in any case
    reproduced, repeated = _repeated(bench, smallest, symptom, before)
    if not reproduced:
        smallest, verdict = first.case, first.verdict
        before = _history(bench, symptom, first, cases_of_block)
        reproduced, repeated = _repeated(bench, smallest, symptom, before)
    budget.left = min(left, budget.left)
    verdict = repeated or verdict
    alike = [f.case for f in sorted(remaining, key=size) if f is not first]
    steady = reproduced == ATTEMPTS and not before
    diagnosis = Diagnosis()
    if steady:
        diagnosis = examine(own, symptom, smallest, alike, defects)
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
        first_failing_case=first.case.token,
        before=tuple(case.token for case in before),
        reason=verdict.reason,
        margin=verdict.margin,
        evidence=verdict.evidence,
        reproduced=reproduced,
        attempts=ATTEMPTS,
        trigger=diagnosis.trigger,
        lookalikes=diagnosis.lookalikes,
        whereabouts=diagnosis.whereabouts,
        remembers=steady and remembers,
        standalone=not before and bench.alone(smallest, symptom),
        arbitration=bench.arbitrated(smallest) if steady and not remembers and symptom.of_output else "",
    )
    return Cause(finding, symptom, first.case.violation is None, diagnosis)


def _repeated(
    bench: Bench, case: Case, symptom: FailureSignature, before: Sequence[Case]
) -> tuple[int, Verdict | None]:
    """How often a case fails again, each time on a fresh candidate, and the last failing verdict."""
    last: Verdict | None = None
    count = 0
    for _ in range(ATTEMPTS):
        found = _after(bench, before, case, symptom)
        count += found is not None
        last = found or last
    return count, last


def _after(
    bench: Bench,
    before: Sequence[Case],
    case: Case,
    symptom: FailureSignature,
    replay: Callable[[Case], object] | None = None,
) -> Verdict | None:
    """The verdict by which a case shows a symptom on a fresh candidate, after other cases."""
    bench.fresh()
    for earlier in before:
        (replay or bench.replay)(earlier)
    return bench.again(case, symptom)


def _history(
    bench: Bench, symptom: FailureSignature, first: Failure, cases_of_block: Callable[[int], Sequence[Case]]
) -> tuple[Case, ...]:
    """The cases that have to run before, if they are few.

    They are sought with the calls that can show the symptom, which are few; if all calls of what was found do not
    lead to it, once more with all.
    """
    earlier = cases_of_block(first.block)[: first.position]
    least = bench.left - _HISTORY
    for replay in (partial(bench.failing, symptom=symptom), bench.replay):

        def fails_after(some: Sequence[Case], replay: Callable[[Case], object] = replay) -> bool:
            return bench.left > least and _after(bench, some, first.case, symptom, replay) is not None

        needed = minimal_setup(earlier, fails_after)
        if 0 < len(needed) <= _MOST_BEFORE and _after(bench, needed, first.case, symptom) is not None:
            return needed
    return ()


def _finished(cause: Cause) -> Finding:
    return replace(
        cause.finding,
        hits=len(cause.explains),
        dtypes=tuple(sorted({f.case.dtype for f in cause.explains})),
        also=tuple(dict.fromkeys(s.quantity for s in cause.also if s.quantity != cause.symptom.quantity)),
        unclassified=cause.untold,
    )
