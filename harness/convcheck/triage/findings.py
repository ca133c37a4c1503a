"""Triage: from failures to findings, one for each distinct cause and not for each case.

The steps, each in a module of its own:

1. failures are grouped by signature and legality, and groups put in order (`priority`), each with a share of the calls;
2. failures that follow from causes found already are taken out (`attribution`);
3. of the rest the simplest that fails by itself is shrunk, by steps of our own (`shrink`) and by Hypothesis
   (`hypothesis_shrinking`), and repeated (`smallest_case`);
4. the smallest case is examined (`diagnosis`), and the cause takes the failures that it accounts for (`causes`);
5. causes that are one are put together (`deduplication`);
6. histories that fail go to the causes that show them, or are causes of their own (`history_causes`).

What no calls are left for is not looked at, and belongs to no finding. Where an interrupt ends it, or the
candidate cannot be called any more, what was found until then is kept, and of what nothing is known yet one failure of
each kind is shown as it came (`unexamined`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from convcheck.defects import DEFECTS, Defect
from convcheck.execution import Candidate, WorkerStartError
from convcheck.judging.judge import Excluded, nothing_excluded
from convcheck.judging.tally import Failure
from convcheck.model.record import Finding
from convcheck.model.stages import Heard, Stage, unheard
from convcheck.plugin.accelerator import DeviceLostError
from convcheck.triage.attribution import consequences, explained
from convcheck.triage.causes import Cause, size, without
from convcheck.triage.deduplication import deduplicated
from convcheck.triage.delta_debugging import Blocks
from convcheck.triage.diagnosis.cross_check import cross_checked
from convcheck.triage.diagnosis.examine import Examination, examine, examine_with_setup
from convcheck.triage.extended import for_legal_causes
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.history_causes import with_histories
from convcheck.triage.priority import Group, grouped, in_order
from convcheck.triage.probe import MOST_CALLS, Budget, Probe
from convcheck.triage.refusals import declaration
from convcheck.triage.smallest_case import failing_by_itself, smallest_case
from convcheck.triage.standalone import shown_by_one_call, standalone_call
from convcheck.triage.triage import Triage, together
from convcheck.triage.unexamined import unexamined

HARMLESS: Final = tuple(defect for defect in DEFECTS if not defect.fatal)
"""The defects that can be run beside a candidate, in this process."""

MOST_PER_GROUP: Final = 6
"""Findings per group; a candidate that is wrong everywhere would give hundreds."""

_LEAST_SHARES: Final = 4
"""One call in so many is shared out evenly before any group is looked at, so that the first leave some to the last."""


@dataclass(frozen=True, slots=True)
class _Search:
    """What all groups of failures have in common while their causes are looked for."""

    probe: Probe
    blocks: Blocks
    defects: Sequence[Defect]
    heard: Heard

    def tell(self, cause: Cause, stage: Stage = Stage.CAUSE) -> None:
        """Whoever waits hears of a cause as soon as it is known; causes that come later may turn out to be it."""
        self.heard(stage, cause.finding(self.probe.candidate.name))


def findings_of(
    candidate: Candidate, failures: Sequence[Failure], blocks: Blocks, **options: Any
) -> tuple[Finding, ...]:
    """The findings of `triage`, which takes the same arguments."""
    return triage(candidate, failures, blocks, **options).findings


def triage(
    candidate: Candidate,
    failures: Sequence[Failure],
    blocks: Blocks,
    *,
    excluded: Excluded = nothing_excluded,
    defects: Sequence[Defect] = HARMLESS,
    most_calls: int = MOST_CALLS,
    until: float = math.inf,
    heard: Heard = unheard,
) -> Triage:
    """One finding for each distinct cause among the failures, and which of them belong to it.

    Args:
        candidate: to shrink, diagnose and repeat with.
        failures: in the order of the run.
        blocks: the cases of a block, for failures that depend on what ran before.
        excluded: failures that are known; no case that a finding shows is one.
        defects: that the candidate may behave like; none of them may end its process.
        most_calls: of the candidate; what they do not suffice for is not looked at.
        until: the time of `time.monotonic` after which no cause is begun.
        heard: called with each smallest case, and each cause once it is known, before those that are one are put
            together.

    An interrupt, or that the candidate cannot be called any more, ends it with what was found until then.
    """
    probe = Probe(candidate, excluded, Budget(most_calls, until))
    search = _Search(probe, blocks, defects, heard)
    of_histories = [failure for failure in failures if failure.history is not None]
    groups = grouped(without(failures, of_histories))
    causes, ended_by = list[Cause](), None
    try:
        _look(search, groups, causes)
        distinct, _ = with_histories(probe, deduplicated(probe, causes), of_histories)
    except (KeyboardInterrupt, WorkerStartError, DeviceLostError) as error:
        distinct, ended_by = causes, error
    distinct.sort(key=lambda cause: not cause.smallest.reproduced)  # what was never seen again is in doubt
    left = without(failures, [failure for cause in distinct for failure in cause.explains])
    some = {Group.of(cause.smallest.first) for cause in distinct}
    unknown = [failure for failure in left if ended_by is not None and Group.of(failure) not in some]
    found = Triage(
        tuple(cause.finding(candidate.name) for cause in distinct),
        tuple(cause.explains for cause in distinct),
        tuple(without(left, unknown)),
        ended_by,
    )
    return together(found, unexamined(candidate.name, unknown))


def _look(search: _Search, groups: dict[Group, Sequence[Failure]], causes: list[Cause]) -> None:
    """Look for the causes of failures, group by group; both arguments are kept up to date, whatever ends it."""
    probe = search.probe
    least = probe.budget.left // (_LEAST_SHARES * max(1, len(groups)))
    order, put_off, looked_at = in_order(groups), set[Group](), set[Group]()
    while order:
        group, *order = order
        set_aside = probe.budget.set_aside(_share(probe.calls_left, least, len(order)))
        causes[:], remaining = _without_consequences(probe, group, groups[group], causes)
        first = failing_by_itself(probe, group.signature, remaining)
        of_state = [g for g in order if g.signature.of_state]
        if remaining and first is None and of_state and group not in put_off:
            # what fails only after other cases may be what the oracles of state show in one
            put_off.add(group)
            order = [*of_state, group, *(g for g in order if g not in of_state)]
        else:
            if group.refusal and remaining and group not in looked_at:
                declared = declaration(probe, group.signature, remaining)
                if declared is not None:
                    causes.append(declared)
                    search.tell(declared)
                    remaining = without(remaining, declared.explains)
                first = failing_by_itself(probe, group.signature, remaining)
            most = MOST_PER_GROUP - sum(Group.of(cause.smallest.first) == group for cause in causes)
            found, remaining = _causes(search, group.signature, remaining, first, most)
            causes += found
            if remaining and len(found) < most and group not in looked_at:
                order = [*order, group]  # once more, for what the others leave of the calls
            looked_at.add(group)
        groups[group] = remaining
        probe.budget.left += set_aside


def _share(left: int, least: int, others: int) -> int:
    """Calls that the next group may take: two thirds of what is left, once every group has something for certain."""
    return left if not others else max(0, left - least * others) * 2 // 3


def _without_consequences(
    probe: Probe, group: Group, failures: Sequence[Failure], causes: Sequence[Cause]
) -> tuple[list[Cause], Sequence[Failure]]:
    """The causes, each with its consequences among the failures, and the failures that follow from none."""
    taken: list[Cause] = []
    for cause in causes:
        known = Group.of(cause.smallest.first)
        if known.apart != group.apart:
            following: Sequence[Failure] = []
        elif known.legal != group.legal:
            following = for_legal_causes(probe, group.signature, cause, failures) if known.legal else []
        elif known == group:
            following = explained(probe, cause, failures)  # what there were no calls for before
        else:
            following = consequences(probe, group.signature, cause, failures)
        if following:
            also = () if group.signature == cause.signature else (group.signature,)
            cause = replace(  # noqa: PLW2901  (the cause, with what it explains besides)
                cause, explains=(*cause.explains, *following), also=(*cause.also, *also)
            )
            failures = without(failures, following)
        taken.append(cause)
    return taken, failures


def _causes(
    search: _Search, signature: FailureSignature, remaining: Sequence[Failure], first: Failure | None, most: int
) -> tuple[list[Cause], Sequence[Failure]]:
    """The causes of the failures of one group, as far as calls for them are left, and those that have none then."""
    probe, found = search.probe, list[Cause]()
    while remaining and len(found) < most and not probe.budget.time_is_up and (probe.calls_left > 0 or not found):
        cause = _cause(search, signature, remaining, first)
        cause = replace(cause, explains=tuple(explained(probe, cause, remaining)))
        remaining = without(remaining, cause.explains)
        search.tell(cause)
        first = failing_by_itself(probe, signature, remaining)
        found.append(cause)
    return found, remaining


def _cause(search: _Search, signature: FailureSignature, remaining: Sequence[Failure], first: Failure | None) -> Cause:
    probe, defects = search.probe, search.defects
    each_fresh = probe.restarting()
    smallest = smallest_case(probe, each_fresh, signature, remaining, first, search.blocks)
    examination = Examination()
    search.tell(Cause(signature=signature, smallest=smallest, explains=(smallest.first,)), Stage.SMALLEST)
    if smallest.steady:
        alike = [f.case for f in sorted(remaining, key=size) if f is not smallest.first]
        own = each_fresh if smallest.state_dependent else probe
        examination = examine(own, signature, smallest.case, alike, defects)
    elif smallest.setup_cases:
        examination = examine_with_setup(probe, signature, smallest.setup_cases, smallest.case, defects)
    standalone = not smallest.setup_cases and shown_by_one_call(probe, smallest.case, signature, smallest.verdict)
    if smallest.steady and not smallest.state_dependent and signature.of_output:
        examination = examination.with_cross_check(cross_checked(probe, smallest.case))
    return Cause(
        signature=signature,
        smallest=smallest,
        examination=examination,
        standalone=standalone,
        call=standalone_call(probe.blank(smallest.case), smallest.verdict) if standalone else None,
    )
