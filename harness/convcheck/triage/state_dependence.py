"""Whether a failure depends on the calls before it."""

from __future__ import annotations

from convcheck.execution import RestartingCandidate
from convcheck.judging.judge import first_causes
from convcheck.model.case import Case
from convcheck.oracles import judge
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import CALLS_OF_RESTART, Probe, calls_showing, oracles_showing


def depends_on_state(probe: Probe, case: Case, signature: FailureSignature) -> bool:
    """Whether a case that fails on a fresh candidate does so because of what ran before in it.

    It does if it does not where each of its calls meets a fresh candidate, or does not again on one that is
    no longer fresh. False where no calls are left to find out.
    """
    if probe.calls_left <= 0:
        return False
    if not _fails_call_by_call(probe, case, signature):
        return True
    return probe.calls_left > 0 and probe.again(case, signature) is None


def _fails_call_by_call(probe: Probe, case: Case, signature: FailureSignature) -> bool:
    """Whether a case fails where each of its calls meets a fresh candidate."""
    trial, each_fresh = probe.blank(case), RestartingCandidate(probe.candidate)
    calls = calls_showing(trial, signature)
    outcomes = {id(call): each_fresh.call(call) for call in {id(call): call for call in calls.values()}.values()}
    probe.budget.left -= len(outcomes) * (1 + CALLS_OF_RESTART)
    trial = trial.with_outcomes({key: outcomes[id(call)] for key, call in calls.items()})
    verdicts = first_causes(judge(trial, oracles_showing(case, signature)))
    return any(FailureSignature.of(v) == signature for v in verdicts)
