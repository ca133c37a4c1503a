"""Histories that fail: each is put with the cause of state that shows it as well, or with its own kind.

They come last. What other failures have led to is examined better than a history can be, so a history is a finding
only where no such cause shows its last call, which is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from convcheck.judging.playing import number_of_calls, plays
from convcheck.judging.tally import Failure
from convcheck.model.diagnosis import Diagnosis
from convcheck.model.history import History, has_threads
from convcheck.oracles import CALL
from convcheck.oracles.memory import OWN_RESULTS
from convcheck.triage.causes import ATTEMPTS, Cause, SmallestCase, size
from convcheck.triage.delta_debugging import fails_after_setup
from convcheck.triage.diagnosis.examine import Examination
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import CALLS_OF_RESTART, Probe
from convcheck.triage.state_dependence import depends_on_state

_UNSAFE: Final = (
    "it seems not to support calls from several threads, at the same time or from another than the one that loaded it: "
    "if that is so, declare @convcheck.capabilities(thread_safe=False)"
)


def with_histories(
    probe: Probe, causes: Sequence[Cause], failures: Sequence[Failure]
) -> tuple[list[Cause], list[Failure]]:
    """The causes with the histories that they show, one cause for the rest of each operation, and those not looked at.

    Of the rest of an operation the simplest is looked at: what state does to one result it may do to another. What
    fails beside other threads only is apart from what fails after other calls.

    Args:
        probe: of the candidate.
        causes: that other failures have.
        failures: of histories.
    """
    known, own, left = list(causes), dict[tuple[str, bool, bool], Cause](), list[Failure]()
    for failure in sorted(failures, key=_simplest):
        signature = FailureSignature.of(failure.verdict)
        threads = has_threads(failure.history or ())
        kind = (signature.kind if signature.quantity == CALL else "", signature.backward, threads)
        at = next((at for at, cause in enumerate(known) if _shows(probe, cause, failure, signature)), None)
        if at is not None:
            known[at] = replace(known[at], explains=(*known[at].explains, failure), also=(*known[at].also, signature))
        elif kind in own or probe.budget.time_is_up:
            left.append(failure)
        else:
            own[kind] = _cause(probe, failure, signature)
    return [*known, *own.values()], left


def _simplest(failure: Failure) -> tuple[int, tuple[int, int, int]]:
    return len(failure.history or ()), size(failure)


def _shows(probe: Probe, cause: Cause, failure: Failure, signature: FailureSignature) -> bool:
    """Whether a cause of state shows in the layer of the last step of a history as well.

    That it does after the cause's own setup cases, or by the calls of that layer's case, which are right where each
    meets a fresh candidate. What ended a process is never taken for a consequence of a wrong result. What needs threads
    is one only of memory that is given to more calls than one, which shows without them.
    """
    if has_threads(failure.history or ()):
        given_twice = OWN_RESULTS in failure.verdict.clauses and OWN_RESULTS in cause.smallest.verdict.clauses
        return given_twice and bool(cause.smallest.reproduced)
    quantities = {s.quantity for s in (cause.signature, *cause.also)}
    if not (cause.of_state and cause.legal and cause.smallest.reproduced) or probe.calls_left <= 0:
        return False
    if signature.quantity not in quantities or signature.quantity == CALL or CALL in quantities:
        return False
    case, setup = failure.case, cause.smallest.setup_cases
    if setup:
        return fails_after_setup(probe, setup, case, cause.signature) is not None
    if probe.restarting().failing(case, cause.signature) is None:
        return False
    return depends_on_state(probe, case, cause.signature)


def _cause(probe: Probe, failure: Failure, signature: FailureSignature) -> Cause:
    history = failure.history or ()
    smallest = SmallestCase(
        first=failure,
        case=failure.case,
        verdict=failure.verdict,
        history=history,
        reproduced=sum(_fails_again(probe, history) for _ in range(ATTEMPTS)),
    )
    diagnosis = Diagnosis(declaration=_UNSAFE if has_threads(history) else "")
    return Cause(signature=signature, smallest=smallest, examination=Examination(diagnosis), explains=(failure,))


def _fails_again(probe: Probe, history: History) -> bool:
    # with its last calls by themselves, each of which meets a fresh candidate as the first does
    alone = len(history[-1].calls)
    cost = sum(map(number_of_calls, history)) + alone + (1 + alone) * CALLS_OF_RESTART
    failed = False
    for played in plays(probe.candidate, history):
        probe.budget.left -= cost
        failed = played.failure is not None
    return failed
