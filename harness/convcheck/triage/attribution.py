"""Attribution: the failures that a cause explains, of its own signature and of others."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from statistics import median
from typing import Final

from convcheck.judging.tally import Failure
from convcheck.model.calls import Call, Operation
from convcheck.model.case import Case
from convcheck.model.rules import Rule, facts
from convcheck.model.verdicts import Verdict
from convcheck.oracles import CALL, PRECISION, RESULT, Oracle, Trial
from convcheck.triage.causes import CHECKED, FEW, MOSTLY, Cause, contradicting, size, without
from convcheck.triage.diagnosis.promises import kept
from convcheck.triage.error_size import relative_error
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.priority import may_follow
from convcheck.triage.probe import Probe
from convcheck.triage.state_dependence import depends_on_state

_CHECKED_FOR_STATE: Final = 6
"""Failures, the simplest, of which it is looked at whether they come of state: each takes many calls, each of them
with a restart, so fewer than `CHECKED`."""

_CHECKED_APART: Final = 6
"""Failures of an oracle's own calls, the simplest, whose layers are put to the candidate by themselves: each takes some
calls, on special values one for every draw until one shows it."""

_ALIKE: Final = 4.0
"""Relative errors that differ by no more are of one size: they grow with the root of the length of sums, which differs
sixteenfold between small cases easily."""


def explained(probe: Probe, cause: Cause, remaining: Sequence[Failure]) -> list[Failure]:
    """The failures of its own signature that a cause accounts for, less those that its known defect contradicts."""
    first_failing = cause.smallest.first.case.token
    if cause.of_state:
        first = [f for f in remaining if f.case.token == first_failing]
        return [*first, *_of_state(probe, cause.signature, cause, without(remaining, first))]
    inside = [f for f in remaining if f.case.token == first_failing or cause.accounts_for(f)]
    mine = without(inside, contradicting(probe, cause.signature, cause, inside))
    return [*mine, *_kept_as_promised(probe, cause.signature, cause, without(remaining, mine))]


def consequences(
    probe: Probe, signature: FailureSignature, cause: Cause, remaining: Sequence[Failure]
) -> list[Failure]:
    """The failures of another signature that follow from a cause found already."""
    if signature.relational and cause.signature.of_output:
        # a relation breaks wherever one of its images is wrong, so it tells nothing new here
        return list(remaining)
    if cause.of_state:
        # what never failed again says nothing about what does
        return _of_state(probe, signature, cause, remaining) if cause.smallest.reproduced else []
    asker = signature.asker
    if asker is not None:
        following = [f for f in remaining if _calls_what_fails(probe, signature, asker, cause, f)]
        by_values = _told_by_values(signature, asker, cause)
        shows = (
            partial(_fails_with_special_values, probe, cause)
            if by_values
            else partial(_calls_a_failing_layer, probe, signature, asker, cause)
        )
        return [*following, *_as_the_simplest(without(remaining, following), shows)]
    numeric = signature.kind in (RESULT, PRECISION) and signature.quantity == cause.signature.quantity
    if numeric and cause.examination.promised is not None:
        return _kept_as_promised(probe, signature, cause, remaining)
    inside = [f for f in remaining if cause.accounts_for(f)]
    if _follows(signature, cause) or _fails_with(signature, cause, remaining):
        return inside
    return _looked_at(probe, signature, cause, inside)


def _looked_at(probe: Probe, signature: FailureSignature, cause: Cause, inside: Sequence[Failure]) -> list[Failure]:
    """Those of some failures that the candidate's results say are of a cause."""
    if cause.examination.defect is not None:
        return without(inside, contradicting(probe, signature, cause, inside))
    if (signature.kind, cause.signature) == (RESULT, FailureSignature(PRECISION, signature.quantity)):
        return _as_imprecise(probe, signature, cause, inside)
    return []


def _kept_as_promised(
    probe: Probe, signature: FailureSignature, cause: Cause, remaining: Sequence[Failure]
) -> list[Failure]:
    """The failures that the promise of a cause explains as well: all, if it does the simplest; else those of them."""
    promised = cause.examination.promised
    if promised is None:
        return []
    checked = [f for f in sorted(remaining, key=size) if f.case.is_legal_call][:CHECKED]
    explained = [f for f in checked if probe.calls_left > 0 and kept(probe, promised, signature, f.case)]
    return list(remaining) if checked and len(explained) == len(checked) else explained


def _as_imprecise(probe: Probe, signature: FailureSignature, cause: Cause, inside: Sequence[Failure]) -> list[Failure]:
    """The failures whose errors on integers are no larger than lost precision usually makes them on reals."""
    lacking = sorted(cause.explains, key=size)[:CHECKED]
    # not the largest: among what lacks precision may be what is wrong by more than that
    usual = median(relative_error(probe, f.case, cause.signature) for f in lacking)
    checked = sorted(inside, key=size)[:CHECKED]
    return without(inside, [f for f in checked if not relative_error(probe, f.case, signature) <= _ALIKE * usual])


def _told_by_values(signature: FailureSignature, asker: Oracle, cause: Cause) -> bool:
    """Whether an oracle repeats what a cause shows by special values, which hangs on more than the layer."""
    repeated = cause.signature.kind in asker.repeats_kinds and cause.signature.kind not in (RESULT, PRECISION)
    return repeated and signature.quantity == cause.signature.quantity


def _as_the_simplest(remaining: Sequence[Failure], shows: Callable[[Failure], bool]) -> list[Failure]:
    """The failures that are looked at and show something; all, if each of them does."""
    checked = sorted(remaining, key=size)[:_CHECKED_APART]
    alike = [f for f in checked if shows(f)]
    return list(remaining) if checked and len(alike) == len(checked) else alike


def _fails_with_special_values(probe: Probe, cause: Cause, failure: Failure) -> bool:
    """Whether the layer of a failure fails as the cause does, and to the same class of numbers."""
    drawn = _drawn(probe, cause, failure.case)
    return any(_class_got(verdict) == _class_got(failure.verdict) for verdict in drawn)


def _calls_a_failing_layer(
    probe: Probe, signature: FailureSignature, asker: Oracle, cause: Cause, failure: Failure
) -> bool:
    """Whether a layer that an oracle called fails as the cause does, where no condition says that it would."""
    if not _repeated_by(signature, asker, cause):
        return False
    layers = {layer.token: layer for layer in _layers(failure.case, _own_calls(probe, asker, failure))}
    return any(probe.failing(layer, cause.signature) is not None for layer in layers.values())


def _drawn(probe: Probe, cause: Cause, case: Case) -> Iterator[Verdict]:
    """How a layer fails on data of the regime that shows a cause, drawn as often as that takes."""
    for more in range(cause.signature.draws):
        drawn = replace(case, regime=cause.smallest.case.regime, seed=case.seed + more, nonzeros=None)
        found = probe.failing(drawn, cause.signature)
        if found is not None:
            yield found


def _class_got(verdict: Verdict) -> str:
    """What the worst element of a result is: finite, infinite or NaN."""
    got = float(verdict.evidence.got) if verdict.evidence else 0.0
    return "finite" if math.isfinite(got) else "NaN" if math.isnan(got) else "infinite"


def _calls_what_fails(probe: Probe, signature: FailureSignature, asker: Oracle, cause: Cause, failure: Failure) -> bool:
    """Whether an oracle made a call of a layer for which the condition of such a failure holds."""
    condition = cause.diagnosis.failure_condition
    if condition is None or not _repeated_by(signature, asker, cause):
        return False
    # the values are the oracle's own
    rest = [Rule(text) for text in condition.rule.conditions if "values" not in text]
    layers = _layers(failure.case, _own_calls(probe, asker, failure))
    return any(all(rule.holds(facts(case)) for rule in rest) for case in layers)


def _repeated_by(signature: FailureSignature, asker: Oracle, cause: Cause) -> bool:
    """Whether failures of the kind of a cause show in the calls of an oracle as this."""
    alike = (signature.kind,) if signature.quantity == CALL else asker.repeats_kinds
    return not cause.signature.asked_by and cause.signature.kind in alike


def _own_calls(probe: Probe, asker: Oracle, failure: Failure) -> Iterable[Call]:
    """What an oracle calls in the case of a failure, other than the calls of every case."""
    return asker.calls(Trial(failure.case, probe.candidate.capabilities)).values()


def _layers(case: Case, calls: Iterable[Call]) -> Iterator[Case]:
    """The layers that calls are made of, as cases."""
    for call in calls:
        of_call = {name: tensor.layout for name, tensor in call.tensors.items()}
        layout_x, layout_weight, layout_bias, layout_grad = ({**case.layout_of, **of_call}[n] for n in case.layout_of)
        yield Case(
            call.arguments,
            call.tensors["x"].values.shape,
            case.dtype,
            case.regime,
            (layout_x, layout_weight, layout_grad),
            layout_bias,
            case.placement,
        )


def _of_state(probe: Probe, signature: FailureSignature, cause: Cause, remaining: Sequence[Failure]) -> list[Failure]:
    """The failures that what ran before decides as well: of the simplest, those that show it; all if each of them does.

    One is no such failure if it is one where each call meets a fresh candidate. What ended a process is never taken
    for a consequence of a wrong result.
    """
    alike = [f for f in sorted(remaining, key=size) if cause.legal is (f.case.violation is None)]
    if signature.quantity == CALL or not alike or not _shares_operation(probe, signature, cause, alike[0]):
        return []
    each_fresh = probe.restarting()
    checked = 0
    spoilt: list[Failure] = []
    for failure in alike[:_CHECKED_FOR_STATE]:
        by_itself = each_fresh.failing(failure.case, signature) is not None
        # a call may have a history of its own: it is made many times, or its parameters change in it
        of_state = by_itself and (signature.of_state or depends_on_state(probe, failure.case, signature))
        if probe.calls_left <= 0:
            break
        checked += 1
        spoilt += [failure] if of_state or not by_itself else []
    return alike if checked and len(spoilt) == min(_CHECKED_FOR_STATE, len(alike)) else spoilt


def _shares_operation(probe: Probe, signature: FailureSignature, cause: Cause, failure: Failure) -> bool:
    operation, asker = _operation(cause.signature), signature.asker
    if asker is not None:
        # a module that is called twice has its layer computed forward
        made = {call.operation for call in _own_calls(probe, asker, failure)}
        return operation in made or (operation is Operation.FORWARD and Operation.MODULE_UPDATED in made)
    return signature.quantity == "memory" or _operation(signature) is operation


def _operation(signature: FailureSignature) -> Operation:
    return Operation.BACKWARD if signature.backward else Operation.FORWARD


def _follows(signature: FailureSignature, cause: Cause) -> bool:
    """Whether a cause has a signature for its consequence wherever its condition holds.

    What a function gets wrong on integers, it gets wrong on reals, special values among them or not, and
    in a module that calls it. So does what the cause was found to get wrong besides.
    """
    if cause.diagnosis.failure_condition is None or cause.signature.kind not in (RESULT, PRECISION):
        return False
    wraps = not cause.signature.backward and any(oracle.wraps_output for oracle in signature.oracles)
    besides = [known for known in cause.also if known.kind == RESULT and known.quantity == signature.quantity]
    alike = signature.quantity == cause.signature.quantity or wraps
    return (alike and may_follow(signature, cause.signature)) or any(may_follow(signature, s) for s in besides)


def _fails_with(signature: FailureSignature, cause: Cause, remaining: Sequence[Failure]) -> bool:
    """Whether the cases in which one result is wrong are those in which another is: one cause, then."""
    if (signature.kind, cause.signature.kind) != (RESULT, RESULT):
        return False
    known = {
        f.case.token
        for f in cause.explains
        if FailureSignature.of(f.verdict) == cause.signature
        and (f.case.params.bias or signature.quantity != "grad_bias")
    }
    both = known & {f.case.token for f in remaining}
    return len(known) >= FEW and len(both) >= MOSTLY * len(known)
