"""From some failures of one signature to the smallest case, and how often it fails again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from convcheck.judging.judge import Failure
from convcheck.triage.causes import ATTEMPTS, SmallestCase, size
from convcheck.triage.delta_debugging import Blocks, fails_after_setup, setup_cases
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import CALLS_OF_RESTART, Probe, calls_showing
from convcheck.triage.shrink import MOST_TRIALS, shrink
from convcheck.triage.state_dependence import depends_on_state

_RESERVED: Final = 20 * ATTEMPTS
"""Calls for the repetitions of one case, whatever is left of the budget, or as many as its oracle's take: a finding
says in any case how often it repeats."""

_FIRST_LOOKS: Final = 5
"""Failures, the simplest, of which one is sought that fails by itself: a bound on the restarts."""


def failing_by_itself(probe: Probe, signature: FailureSignature, failures: Sequence[Failure]) -> Failure | None:
    """One of the simplest failures that repeats on a fresh candidate."""
    each_fresh, simplest = probe.restarting(), sorted(failures, key=size)[:_FIRST_LOOKS]
    return next((f for f in simplest if each_fresh.failing(f.case, signature) is not None), None)


def smallest_case(
    probe: Probe,
    each_fresh: Probe,
    signature: FailureSignature,
    failures: Sequence[Failure],
    first: Failure | None,
    blocks: Blocks,
) -> SmallestCase:
    """The smallest case of a cause.

    Args:
        probe: of the candidate.
        each_fresh: the same, restarting before each case; used where state decides.
        signature: of the failures.
        failures: in the order of the run.
        first: one that fails by itself; None if none does, and other cases have to run before.
        blocks: the cases of the campaign.
    """
    probe.fresh()
    if first is None:
        found = SmallestCase(first=failures[0], case=failures[0].case, verdict=failures[0].verdict)
    else:
        found = _shrunk(probe, each_fresh, signature, first)
    budget = probe.budget
    repetitions = ATTEMPTS * len(calls_showing(probe.blank(found.case), signature))
    left, budget.left = budget.left, max(budget.left, _RESERVED, repetitions)
    found = _repeated(probe, signature, found)
    if not found.reproduced:
        again = replace(found, case=found.first.case, verdict=found.first.verdict)
        setup = setup_cases(probe, signature, found.first, blocks)
        found = _repeated(probe, signature, replace(again, setup_cases=setup))
    budget.left = min(left, budget.left)
    return found


def _shrunk(probe: Probe, each_fresh: Probe, signature: FailureSignature, first: Failure) -> SmallestCase:
    state_dependent = depends_on_state(probe, first.case, signature)
    own = each_fresh if state_dependent else probe
    # at most half of what is left, so that there is something left to explain the smallest case
    each = len(calls_showing(probe.blank(first.case), signature)) + (CALLS_OF_RESTART if state_dependent else 0)
    most = min(MOST_TRIALS, probe.calls_left // (2 * each))
    case = shrink(first.case, lambda case: own.failing(case, signature) is not None, most)
    verdict = own.failing(case, signature) or first.verdict
    return SmallestCase(first=first, case=case, verdict=verdict, state_dependent=state_dependent)


def _repeated(probe: Probe, signature: FailureSignature, found: SmallestCase) -> SmallestCase:
    """With how often the case fails again, each time on a fresh candidate, and the last failing verdict."""
    verdicts = [fails_after_setup(probe, found.setup_cases, found.case, signature) for _ in range(ATTEMPTS)]
    failing = [verdict for verdict in verdicts if verdict is not None]
    return replace(found, reproduced=len(failing), verdict=failing[-1] if failing else found.verdict)
