"""Causes: findings in the making, which failures each accounts for, and which of them are one."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

import numpy as np

from convcheck.calls import Call, Operation
from convcheck.case import Case
from convcheck.diagnosis.examine import Diagnosis, reproduces
from convcheck.diagnosis.neighbourhood import variations
from convcheck.execution.judging import Failure
from convcheck.findings.bench import Bench
from convcheck.findings.symptom import PRECISION, RESULT, Symptom
from convcheck.oracles import ORACLES, bitwise, one_hot, taint
from convcheck.oracles.exercised import PLAIN
from convcheck.oracles.trial import Trial
from convcheck.record import Finding
from convcheck.rules import Rule, facts
from convcheck.token import read
from convcheck.verdicts import Status

_EVERYWHERE: Final = frozenset({"C2D-ARITH-1", "C2D-ARITH-2"})

_CHECKED: Final = 20
_MOSTLY: Final = 0.9
_FEW: Final = 3
"""Failures, of each of two causes, below which it may be chance that one rule covers them all."""

_IMAGINED: Final = 200
"""Cases, near and far each, on which rules are compared."""

_OF_THEIR_OWN: Final = {oracle.name: oracle for oracle in ORACLES if oracle.every > 1}
"""Oracles that make calls besides those of every case."""

_ON_REALS: Final = {taint.NAME: "special", one_hot.NAME: PRECISION, bitwise.NAME: PRECISION}
"""Of these, the oracles whose data are not integers, and the sort of symptom that shows on such data."""

_LATE: Final = {PRECISION: 3, "special": 5, "module": 6, **dict.fromkeys(_OF_THEIR_OWN, 7)}
"""What may follow from a wrong result on integers, or on reals: looked at after these."""
_USUAL: Final = 2

_LACKING: Final = 0.1
"""Cases wrong on reals only, for each that is wrong on integers, from which on precision is looked at first."""
_ALIKE: Final = 4.0
"""Relative errors that differ by no more are of one size."""


def in_turn(by_symptom: Mapping[Symptom, Sequence[Failure]]) -> list[Symptom]:
    """The order in which symptoms are looked at: a wrong output has more consequences than anything else.

    A wrong index shows on integers wherever it shows on reals. Where many cases are wrong on reals only, it
    is precision that lacks, and some integers were too long for what is left of it.
    """

    def turn(symptom: Symptom) -> tuple[int, bool]:
        late = 1 if symptom.of_output else _LATE.get(_asker(symptom) or symptom.sort, _USUAL)
        if symptom.sort == RESULT:
            on_reals = by_symptom.get(replace(symptom, sort=PRECISION), ())
            late = late if len(on_reals) < _LACKING * len(by_symptom[symptom]) else _LATE[PRECISION] + 1
        return late, symptom.backward

    return sorted(by_symptom, key=turn)


def _asker(symptom: Symptom) -> str:
    """The oracle without whose calls there would be no such symptom; empty if there is none."""
    first = symptom.sort.split(" ")[0]
    return first if first in _OF_THEIR_OWN else ""


def size(failure: Failure) -> tuple[int, int, int]:
    """How much there is to a case: work first, for the candidate's sake."""
    case = failure.case
    if case.violation is not None:
        return 0, len(case.token), failure.block
    return case.params.multiply_adds(case.input_shape), len(case.token), failure.block


@dataclass(slots=True)
class Cause:
    """A finding in the making, and the failures that it explains.

    Attributes:
        finding: what is reported.
        symptom: of the failures that it was found in.
        legal: whether it is about legal cases.
        diagnosis: of the finding.
        explains: failures, those of other symptoms among them.
        also: the other symptoms.
        untold: failures that there was no time to look at.
    """

    finding: Finding
    symptom: Symptom
    legal: bool
    diagnosis: Diagnosis
    explains: list[Failure] = field(default_factory=list)
    also: list[Symptom] = field(default_factory=list)
    untold: int = 0

    @property
    def unsteady(self) -> bool:
        """Whether the failure needs other cases before it, or does not always repeat."""
        return bool(self.finding.before) or self.finding.reproduced < self.finding.attempts

    @property
    def of_state(self) -> bool:
        """Whether more than the arguments of a call decides what comes of it."""
        return self.finding.remembers or self.unsteady

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

    def share_covered(self, other: Cause) -> float:
        """The share of another cause's failures for which the trigger holds; 0 without one, or with "always"."""
        trigger = self.diagnosis.trigger
        if trigger is None or not trigger.rule.text or not other.explains:
            return 0.0
        legal = [f.case for f in other.explains if f.case.violation is None]
        return sum(trigger.rule.holds(facts(case)) for case in legal) / len(other.explains)


def explained(bench: Bench, cause: Cause, remaining: Sequence[Failure]) -> list[Failure]:
    """The failures that a cause accounts for, without those that its lookalike does not reproduce."""
    if cause.of_state:
        first = [f for f in remaining if f.case.token == cause.finding.found_as]
        return [*first, *_of_state(bench, cause.symptom, cause, without(remaining, first))]
    inside = [f for f in remaining if f.case.token == cause.finding.found_as or cause.accounts_for(f)]
    return without(inside, _contradicting(bench, cause.symptom, cause, inside))


def echoes(bench: Bench, symptom: Symptom, cause: Cause, remaining: Sequence[Failure]) -> list[Failure]:
    """The failures of another symptom that are consequences of a cause found already."""
    if symptom.relational and cause.symptom.of_output:
        # a relation breaks wherever one of its images is wrong, so it tells nothing new here
        return list(remaining)
    if cause.of_state:
        # what never failed again says nothing about what does
        return _of_state(bench, symptom, cause, remaining) if cause.finding.reproduced else []
    if _asker(symptom):
        return [f for f in remaining if _calls_what_fails(bench, cause, f)]
    inside = [f for f in remaining if cause.accounts_for(f)]
    if _follows(symptom, cause) or _fails_with(symptom, cause, remaining):
        return inside
    if cause.diagnosis.defect is not None:
        inside = without(inside, _contradicting(bench, symptom, cause, inside))
    elif (symptom.sort, cause.symptom) == (RESULT, Symptom(PRECISION, symptom.quantity)):
        inside = _as_imprecise(bench, symptom, cause, inside)
    else:
        return []
    return inside


def _as_imprecise(bench: Bench, symptom: Symptom, cause: Cause, inside: Sequence[Failure]) -> list[Failure]:
    """The failures whose errors on integers are no larger than lost precision has made them on reals."""
    lacking = sorted(cause.explains, key=size)[:_CHECKED]
    most = max(bench.relative_error(f.case, cause.symptom) for f in lacking)
    checked = sorted(inside, key=size)[:_CHECKED]
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
    calls = _OF_THEIR_OWN[oracle].calls(Trial(failure.case, bench.candidate.capabilities))
    return any(all(rule.holds(facts(case)) for rule in rest) for case in _layers(failure.case, calls.values()))


def _layers(case: Case, calls: Iterable[Call]) -> Iterator[Case]:
    """The layers that calls are made of, as cases."""
    for call in calls:
        layouts = tuple(
            call.tensors[name].layout if name in call.tensors else other
            for name, other in zip(("x", "weight", "grad_output"), case.layouts, strict=True)
        )
        yield Case(call.arguments, call.tensors["x"].values.shape, case.dtype, case.regime, layouts)  # type: ignore[arg-type]


def _of_state(bench: Bench, symptom: Symptom, cause: Cause, remaining: Sequence[Failure]) -> list[Failure]:
    """The failures that more than the arguments of a call decides as well; of many, the simplest are asked."""
    alike = [f for f in sorted(remaining, key=size) if cause.legal is (f.case.violation is None)]
    if _asker(symptom):  # whoever calls often meets what earlier calls left behind
        return [f for f in alike if _operation(cause.symptom) in _operations(bench, f)]
    each_fresh = bench.forgetful()
    fail = [f for f in alike[:_CHECKED] if each_fresh.failing(f.case, symptom) is not None]
    return without(alike, [f for f in fail if not bench.remembers(f.case, symptom)])


def _operation(symptom: Symptom) -> Operation:
    return Operation.BACKWARD if symptom.backward else Operation.FORWARD


def _operations(bench: Bench, failure: Failure) -> set[Operation]:
    """What an oracle calls, other than the calls of every case."""
    oracle = _OF_THEIR_OWN[failure.verdict.oracle]
    return {call.operation for call in oracle.calls(Trial(failure.case, bench.candidate.capabilities)).values()}


def _follows(symptom: Symptom, cause: Cause) -> bool:
    """Whether a cause has a symptom for its consequence wherever its trigger holds.

    What a function gets wrong on integers, it gets wrong on reals, special values among them or not, and
    in a module that calls it; what it does to its inputs, it does to the weight of a module.
    """
    if cause.diagnosis.trigger is None:
        return False
    if cause.symptom.quantity == "inputs":
        return symptom.sort == "module"
    if cause.symptom.sort not in (RESULT, PRECISION):
        return False
    later = _LATE.get(symptom.sort, _USUAL) > _LATE.get(cause.symptom.sort, _USUAL)
    return later and (
        symptom.quantity == cause.symptom.quantity or (symptom.sort, cause.symptom.backward) == ("module", False)
    )


def _fails_with(symptom: Symptom, cause: Cause, remaining: Sequence[Failure]) -> bool:
    """Whether the cases in which one result is wrong are those in which another is: one cause, then."""
    if (symptom.sort, cause.symptom.sort) != (RESULT, RESULT):
        return False
    known = {
        f.case.token
        for f in cause.explains
        if Symptom.of(f.verdict) == cause.symptom and (f.case.params.bias or symptom.quantity != "grad_bias")
    }
    both = known & {f.case.token for f in remaining}
    return len(known) >= _FEW and len(both) >= _MOSTLY * len(known)


def _contradicting(bench: Bench, symptom: Symptom, cause: Cause, inside: Sequence[Failure]) -> list[Failure]:
    """The failures that the lookalike of a cause does not reproduce, of the simplest; all if it does none."""
    defect = cause.diagnosis.defect
    if defect is None:
        return []
    checked = sorted(inside, key=size)[:_CHECKED]
    wrong = [f for f in checked if not reproduces(bench, symptom, f.case, defect)]
    return list(inside) if len(wrong) == len(checked) and symptom != cause.symptom else wrong


def without(failures: Sequence[Failure], others: Sequence[Failure]) -> list[Failure]:
    """The failures that are not among others."""
    gone = {id(f) for f in others}
    return [f for f in failures if id(f) not in gone]


def merged(bench: Bench, causes: Sequence[Cause]) -> list[Cause]:
    """Causes that are one: the first that has a lookalike, and needs no other case, stands for the rest."""
    found: list[Cause] = []
    for cause in sorted(causes, key=lambda c: (c.diagnosis.defect is None, c.unsteady)):
        known = next((m for m in found if _same(bench, m, cause)), None)
        if known is None:
            found.append(cause)
            continue
        known.explains += cause.explains
        known.untold += cause.untold
        known.also += [s for s in (cause.symptom, *cause.also) if s != known.symptom]
    order = {id(cause): at for at, cause in enumerate(causes)}
    return sorted(found, key=lambda c: order[id(c)])


def _same(bench: Bench, a: Cause, b: Cause) -> bool:
    """Whether two causes are one."""
    if a.legal is not b.legal or a.of_state is not b.of_state:
        return False
    names = [{found.name for found in c.finding.lookalikes} for c in (a, b)]
    if a.of_state:  # what state does to one quantity it may do to another
        return not all(names) or bool(names[0] & names[1])
    if all(names):
        return bool(names[0] & names[1])
    if any(names):  # the first of the two: a name is never given to what it does not reproduce
        return not _contradicting(bench, b.symptom, a, b.explains)
    return _same_trigger(a, b)


def _implies(narrow: Cause, wide: Cause) -> bool:
    """Whether the trigger of one cause holds wherever that of another does, tried on imagined cases."""
    first, second = (c.diagnosis.trigger for c in (narrow, wide))
    base = read(narrow.finding.token)
    if first is None or second is None:
        return False
    rng = np.random.default_rng(zlib.crc32(narrow.finding.token.encode()))
    around = [case for names in (4, 23) for case in islice(variations(base, rng, names), _IMAGINED)]
    inside = [case for case in around if first.rule.holds(facts(case))]
    return len(inside) >= _FEW and all(second.rule.holds(facts(case)) for case in inside)


def _told_by_rule(*symptoms: Symptom) -> bool:
    """Whether symptoms are of one cause if that of one needs all that the other's needs: a crash is not hidden so."""
    return all(s.quantity != "call" or s.sort == str(Status.WRONGLY_REFUSED) for s in symptoms)


def _same_trigger(a: Cause, b: Cause) -> bool:
    first, second = (c.diagnosis.trigger for c in (a, b))
    if first is None or second is None:
        return (a.symptom, a.finding.token) == (b.symptom, b.finding.token)
    if a.symptom == b.symptom:  # the later rule may cover the earlier one's failures too
        return b.share_covered(a) >= _MOSTLY
    if not first.rule.text or not second.rule.text:
        return False  # "always" says nothing about a cause
    if first.rule == second.rule or (_told_by_rule(a.symptom, b.symptom) and (_implies(a, b) or _implies(b, a))):
        return True
    enough = min(len(a.explains), len(b.explains)) >= _FEW
    return enough and min(a.share_covered(b), b.share_covered(a)) >= _MOSTLY
