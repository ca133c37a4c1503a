"""The one call of a fresh candidate that shows a failure to anybody, where one does."""

from __future__ import annotations

from convcheck.model.calls import Operation
from convcheck.model.case import Case
from convcheck.model.reproduction import PackedArray, PackedTensor, StandaloneCall
from convcheck.model.verdicts import FAILURES, Verdict
from convcheck.oracles import CALL, CallKey, Expectation, Trial, expectation_of, extra_calls, find, judge
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import Probe, calls_showing, oracles_showing


def shown_by_one_call(probe: Probe, case: Case, signature: FailureSignature, verdict: Verdict) -> bool:
    """Whether the one call that tells most of a failure shows it on a fresh candidate; False once the time is over."""
    if probe.budget.time_is_up:
        return False
    trial = probe.blank(case)
    calls = {**trial.calls, **extra_calls(trial, oracles_showing(case, signature))}
    expectation = expectation_of(trial, verdict)
    key = list(calls_showing(trial, signature))[-1] if expectation is None else expectation.key
    if key not in calls or (expectation is None and key not in trial.calls):
        return False
    probe.fresh()
    verdicts = judge(probe.made(trial, {key: calls[key]}), oracles_showing(case, signature))
    return any(v.status in FAILURES and FailureSignature.of(v) == signature for v in verdicts)


def standalone_call(trial: Trial, verdict: Verdict) -> StandaloneCall | None:
    """The one call that shows a failure, as a script can make it; None for what is more than one result of it.

    Those are failures of modules, of inputs, of what stands in place of tensors, of what results have to do with one
    another, and of wrong shapes.
    """
    if trial.case.entry == "module":
        return None
    if verdict.quantity == CALL:
        # the call that makes most of the candidate: backward runs forward as well
        key = None if find(verdict.oracle).has_own_calls else list(trial.calls)[-1]
        return None if key is None else _packed(trial, key)
    expectation = expectation_of(trial, verdict)
    return None if expectation is None else _packed(trial, expectation.key, expectation)


def _packed(trial: Trial, key: CallKey, due: Expectation | None = None) -> StandaloneCall | None:
    oracles = (find(key.asked_by),) if key.asked_by else ()
    call = {**trial.calls, **extra_calls(trial, oracles)}[key]
    if any(tensor.given != "tensor" for tensor in call.tensors.values()):
        return None
    return StandaloneCall(
        backward=call.operation is Operation.BACKWARD,
        tensors={
            name: PackedTensor(PackedArray.of(t.values), t.layout, "at_end" if t.memory == "guard_after" else "aligned")
            for name, t in call.tensors.items()
        },
        wanted=call.wanted,
        expected=None if due is None else PackedArray.of(due.value),
        tolerance=None if due is None else PackedArray.of(due.tolerance),
    )
