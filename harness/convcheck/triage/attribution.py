"""Consequences: the failures that a cause explains, of its own symptom and of others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from convcheck.judging.judge import Failure
from convcheck.model.calls import Call, Operation
from convcheck.model.case import Case
from convcheck.model.rules import Rule, facts
from convcheck.oracles import bitwise, one_hot, taint
from convcheck.oracles.support.trial import Trial
from convcheck.triage.causes import CHECKED, FEW, MOSTLY, Cause, contradicting, size, without
from convcheck.triage.failure_signature import PRECISION, RESULT, FailureSignature
from convcheck.triage.priority import OF_THEIR_OWN, asker, later
from convcheck.triage.probe import Bench

_ON_REALS: Final = {taint.NAME: "special", one_hot.NAME: PRECISION, bitwise.NAME: PRECISION}
"""Of the oracles with calls of their own, those whose data are not integers, and the sort that shows on such data."""

_CHECKED_FOR_STATE: Final = 6
"""Failures, the simplest, of which it is looked at whether they come of state: each takes many calls."""

_ALIKE: Final = 4.0
"""Relative errors that differ by no more are of one size."""


def explained(bench: Bench, cause: Cause, remaining: Sequence[Failure]) -> list[Failure]:
    """The failures that a cause accounts for, without those that its lookalike does not reproduce."""
    if cause.of_state:
        first = [f for f in remaining if f.case.token == cause.finding.first_failing_case]
        return [*first, *_of_state(bench, cause.symptom, cause, without(remaining, first))]
    inside = [
        f for f in remaining if f.case.token == cause.finding.first_failing_case or cause.explains_by_condition(f)
    ]
    return without(inside, contradicting(bench, cause.symptom, cause, inside))


def echoes(bench: Bench, symptom: FailureSignature, cause: Cause, remaining: Sequence[Failure]) -> list[Failure]:
    """The failures of another symptom that are consequences of a cause found already."""
    if symptom.relational and cause.symptom.of_output:
        # a relation breaks wherever one of its images is wrong, so it tells nothing new here
        return list(remaining)
    if cause.of_state:
        # what never failed again says nothing about what does
        return _of_state(bench, symptom, cause, remaining) if cause.finding.reproduced else []
    if asker(symptom):
        return [f for f in remaining if _calls_what_fails(bench, cause, f)]
    inside = [f for f in remaining if cause.explains_by_condition(f)]
    if _follows(symptom, cause) or _fails_with(symptom, cause, remaining):
        return inside
    if cause.diagnosis.defect is not None:
        inside = without(inside, contradicting(bench, symptom, cause, inside))
    elif (symptom.sort, cause.symptom) == (RESULT, FailureSignature(PRECISION, symptom.quantity)):
        inside = _as_imprecise(bench, symptom, cause, inside)
    else:
        return []
    return inside


def _as_imprecise(bench: Bench, symptom: FailureSignature, cause: Cause, inside: Sequence[Failure]) -> list[Failure]:
    """The failures whose errors on integers are no larger than lost precision has made them on reals."""
    lacking = sorted(cause.explains, key=size)[:CHECKED]
    most = max(bench.relative_error(f.case, cause.symptom) for f in lacking)
    checked = sorted(inside, key=size)[:CHECKED]
    return without(inside, [f for f in checked if not bench.relative_error(f.case, symptom) <= _ALIKE * most])


def _calls_what_fails(bench: Bench, cause: Cause, failure: Failure) -> bool:
    """Whether an oracle made a call of a layer for which the trigger of such a failure holds."""
    oracle, trigger = failure.verdict.oracle, cause.diagnosis.trigger
    called = failure.verdict.quantity == "call"
    alike = (str(failure.verdict.status),) if called else (RESULT, _ON_REALS.get(oracle))
    if trigger is None or cause.symptom.sort not in alike:
        return False
    # the values are the oracle's own
    rest = [Rule(text) for text in trigger.rule.conditions if "values" not in text]
    layers = _layers(failure.case, _own_calls(bench, failure))
    return any(all(rule.holds(facts(case)) for rule in rest) for case in layers)


def _own_calls(bench: Bench, failure: Failure) -> Iterable[Call]:
    """What the oracle of a failure calls, other than the calls of every case."""
    oracle = OF_THEIR_OWN[failure.verdict.oracle]
    return oracle.calls(Trial(failure.case, bench.candidate.capabilities)).values()


def _layers(case: Case, calls: Iterable[Call]) -> Iterator[Case]:
    """The layers that calls are made of, as cases."""
    for call in calls:
        layouts = tuple(
            call.tensors[name].layout if name in call.tensors else other
            for name, other in zip(("x", "weight", "grad_output"), case.layouts, strict=True)
        )
        yield Case(call.arguments, call.tensors["x"].values.shape, case.dtype, case.regime, layouts)  # type: ignore[arg-type]


def _of_state(bench: Bench, symptom: FailureSignature, cause: Cause, remaining: Sequence[Failure]) -> list[Failure]:
    """The failures that what ran before decides as well: of the simplest, those that show it; all if each of them does.

    One is no such failure if it is one where each call meets a fresh candidate. What ended a process is never taken
    for a consequence of a wrong result.
    """
    alike = [f for f in sorted(remaining, key=size) if cause.legal is (f.case.violation is None)]
    if symptom.quantity == "call" or not alike or not _shares_operation(bench, symptom, cause, alike[0]):
        return []
    each_fresh = bench.forgetful()
    checked = 0
    spoilt: list[Failure] = []
    for failure in alike[:_CHECKED_FOR_STATE]:
        by_itself = each_fresh.failing(failure.case, symptom) is not None
        remembers = by_itself and bench.remembers(failure.case, symptom)
        if bench.left <= 0:
            break
        checked += 1
        spoilt += [failure] if remembers or not by_itself else []
    return alike if checked and len(spoilt) == min(_CHECKED_FOR_STATE, len(alike)) else spoilt


def _shares_operation(bench: Bench, symptom: FailureSignature, cause: Cause, failure: Failure) -> bool:
    operation = _operation(cause.symptom)
    if asker(symptom):
        return any(call.operation is operation for call in _own_calls(bench, failure))
    return symptom.quantity == "memory" or _operation(symptom) is operation


def _operation(symptom: FailureSignature) -> Operation:
    return Operation.BACKWARD if symptom.backward else Operation.FORWARD


def _follows(symptom: FailureSignature, cause: Cause) -> bool:
    """Whether a cause has a symptom for its consequence wherever its trigger holds.

    What a function gets wrong on integers, it gets wrong on reals, special values among them or not, and
    in a module that calls it.
    """
    if cause.diagnosis.trigger is None or cause.symptom.sort not in (RESULT, PRECISION):
        return False
    return later(symptom, cause.symptom) and (
        symptom.quantity == cause.symptom.quantity or (symptom.sort, cause.symptom.backward) == ("module", False)
    )


def _fails_with(symptom: FailureSignature, cause: Cause, remaining: Sequence[Failure]) -> bool:
    """Whether the cases in which one result is wrong are those in which another is: one cause, then."""
    if (symptom.sort, cause.symptom.sort) != (RESULT, RESULT):
        return False
    known = {
        f.case.token
        for f in cause.explains
        if FailureSignature.of(f.verdict) == cause.symptom and (f.case.params.bias or symptom.quantity != "grad_bias")
    }
    both = known & {f.case.token for f in remaining}
    return len(known) >= FEW and len(both) >= MOSTLY * len(known)
