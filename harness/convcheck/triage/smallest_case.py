"""From some failures of one signature to the smallest case, and how often it fails again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from convcheck.judging.tally import Failure
from convcheck.model.case import Case
from convcheck.strategies.plain import PlainSpace
from convcheck.triage.causes import ATTEMPTS, SmallestCase, size
from convcheck.triage.complexity import complexity
from convcheck.triage.delta_debugging import Blocks, fails_after_setup, setup_cases
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.free_parameters import Explained, explain
from convcheck.triage.hypothesis_shrinking import shrink_by_hypothesis
from convcheck.triage.probe import CALLS_OF_RESTART, Probe, calls_showing
from convcheck.triage.shrink import MOST_TRIALS, shrink
from convcheck.triage.state_dependence import depends_on_state
from convcheck.triage.trials import Trials

_RESERVED: Final = 20 * ATTEMPTS
"""Calls for the repetitions of one case, whatever is left of the budget, or as many as its oracle's take: a finding
says in any case how often it repeats."""

_EXPLAINING: Final = 75
"""Trials without which it is not looked at which parameters do not matter: about as many as that takes."""

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
    with budget.beyond_time():  # what was not asked is not told from what never repeats
        found = repeated(probe, signature, found)
    if not found.reproduced:
        again = replace(found, case=found.first.case, verdict=found.first.verdict, free=())
        setup = setup_cases(probe, signature, found.first, blocks)
        with budget.beyond_time():
            found = repeated(probe, signature, replace(again, setup_cases=setup))
    budget.left = min(left, budget.left)
    return found


def _shrunk(probe: Probe, each_fresh: Probe, signature: FailureSignature, first: Failure) -> SmallestCase:
    state_dependent = depends_on_state(probe, first.case, signature)
    own = each_fresh if state_dependent else probe
    # at most half of what is left, so that there is something left to explain the smallest case
    each = len(calls_showing(probe.blank(first.case), signature)) + (CALLS_OF_RESTART if state_dependent else 0)
    most = min(MOST_TRIALS, probe.calls_left // (2 * each))
    space = PlainSpace.of(probe.candidate.capabilities)
    found = shrunk(first.case, lambda case: own.failing(case, signature) is not None, space, most)
    return SmallestCase(
        first=first,
        case=found.case,
        verdict=own.failing(found.case, signature) or first.verdict,
        state_dependent=state_dependent,
        free=found.free,
    )


def shrunk(case: Case, still_fails: Callable[[Case], bool], space: PlainSpace, most: int = MOST_TRIALS) -> Explained:
    """The simplest case that Hypothesis or steps of our own find, and which of its parameters do not matter.

    Hypothesis lowers several parameters at once, and finds other data; steps of our own set back what it left. The
    same steps from the case itself have the first call on the budget, so that nothing gets larger where it is short.
    The simplest is taken, by `complexity`.

    Args:
        case: fails. An illegal one is shrunk by our own steps alone, and nothing is said of its parameters.
        still_fails: whether a case fails in the same way.
        space: of the candidate.
        most: cases that are tried in all.
    """
    trials, sparse = Trials(case, still_fails, most), space.with_sparse_data()

    def stepwise(start: Case) -> Case:
        return shrink(start, trials.fails, sys.maxsize)  # which has no bound of its own

    by_steps = stepwise(case)
    by_hypothesis = shrink_by_hypothesis(case, trials, sparse)
    smallest = min(stepwise(by_hypothesis), by_hypothesis, by_steps, key=complexity)
    if trials.left < _EXPLAINING:
        return Explained(smallest)
    # a few elements lie elsewhere where another parameter changes, and then nothing is wrong
    dense = replace(smallest, nonzeros=None)
    start = dense if trials.fails(dense) else smallest
    explained = explain(start, trials, sparse)
    if explained.case == start:
        return Explained(smallest, explained.free)
    return min(explained, Explained(smallest), key=lambda found: complexity(found.case))


def repeated(probe: Probe, signature: FailureSignature, found: SmallestCase) -> SmallestCase:
    """With how often the case fails again, each time on a fresh candidate, and the last failing verdict."""
    verdicts = [fails_after_setup(probe, found.setup_cases, found.case, signature) for _ in range(ATTEMPTS)]
    failing = [verdict for verdict in verdicts if verdict is not None]
    return replace(found, reproduced=len(failing), verdict=failing[-1] if failing else found.verdict)
