"""Triage: from failures to findings, one for each distinct cause and not for each case.

The steps, each in a module of its own:

1. failures are grouped by signature (`failure_signature`), and signatures put in order (`priority`);
2. failures that follow from causes found already are taken out (`attribution`);
3. of the rest the simplest that fails by itself is shrunk, by steps of our own (`shrink`) and by Hypothesis
   (`hypothesis_shrinking`), and repeated (`smallest_case`);
4. the smallest case is examined (`diagnosis`), and the cause takes the failures that it accounts for (`causes`);
5. causes that are one are put together (`deduplication`);
6. histories that fail go to the causes that show them, or are causes of their own (`history_causes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from convcheck.defects import DEFECTS, Defect
from convcheck.execution import Candidate
from convcheck.judging.judge import Excluded, Failure, nothing_excluded
from convcheck.model.record import Finding
from convcheck.triage.attribution import consequences, explained
from convcheck.triage.causes import Cause, size, without
from convcheck.triage.deduplication import deduplicated
from convcheck.triage.delta_debugging import Blocks
from convcheck.triage.diagnosis.cross_check import cross_checked
from convcheck.triage.diagnosis.examine import Examination, examine, examine_with_setup
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.history_causes import with_histories
from convcheck.triage.priority import in_order
from convcheck.triage.probe import MOST_CALLS, Budget, Probe
from convcheck.triage.smallest_case import failing_by_itself, smallest_case
from convcheck.triage.standalone import shown_by_one_call, standalone_call

HARMLESS: Final = tuple(defect for defect in DEFECTS if not defect.fatal)
"""The defects that can be run beside a candidate, in this process."""

MOST_PER_SIGNATURE: Final = 6
"""Findings per signature; a candidate that is wrong everywhere would give hundreds."""


def findings_of(
    candidate: Candidate,
    failures: Sequence[Failure],
    blocks: Blocks,
    *,
    excluded: Excluded = nothing_excluded,
    defects: Sequence[Defect] = HARMLESS,
    most_calls: int = MOST_CALLS,
) -> tuple[Finding, ...]:
    """One finding for each distinct cause among the failures.

    Args:
        candidate: to shrink, diagnose and repeat with.
        failures: in the order of the run.
        blocks: the cases of a block, for failures that depend on what ran before.
        excluded: failures that are known; no case that a finding shows is one.
        defects: that the candidate may behave like; none of them may end its process.
        most_calls: of the candidate; what they do not suffice for is counted as unclassified.
    """
    probe = Probe(candidate, excluded, Budget(most_calls))
    of_histories = [failure for failure in failures if failure.history is not None]
    by_signature = _by_signature(without(failures, of_histories))
    causes: list[Cause] = []
    order, put_off = in_order(by_signature), set[FailureSignature]()
    while order:
        signature, *order = order
        causes, remaining = _without_consequences(probe, signature, by_signature[signature], causes)
        first = failing_by_itself(probe, signature, remaining)
        of_state = [s for s in order if s.of_state]
        if remaining and first is None and of_state and signature not in put_off:
            # what fails only after other cases may be what the oracles of state show in one
            put_off.add(signature)
            by_signature[signature] = remaining
            order = [*of_state, signature, *(s for s in order if s not in of_state)]
            continue
        causes += _causes(probe, signature, remaining, first, blocks, defects)
    distinct = with_histories(probe, deduplicated(probe, causes), of_histories)
    return tuple(cause.finding(candidate.name) for cause in distinct)


def _by_signature(failures: Sequence[Failure]) -> dict[FailureSignature, Sequence[Failure]]:
    found: dict[FailureSignature, list[Failure]] = {}
    for failure in failures:
        found.setdefault(FailureSignature.of(failure.verdict), []).append(failure)
    return dict(found)


def _without_consequences(
    probe: Probe, signature: FailureSignature, failures: Sequence[Failure], causes: Sequence[Cause]
) -> tuple[list[Cause], Sequence[Failure]]:
    """The causes, each with its consequences among the failures, and the failures that follow from none."""
    taken: list[Cause] = []
    for cause in causes:
        following = consequences(probe, signature, cause, failures)
        if following:
            cause = replace(  # noqa: PLW2901  (the cause, with what it explains besides)
                cause, explains=(*cause.explains, *following), also=(*cause.also, signature)
            )
            failures = without(failures, following)
        taken.append(cause)
    return taken, failures


def _causes(
    probe: Probe,
    signature: FailureSignature,
    remaining: Sequence[Failure],
    first: Failure | None,
    blocks: Blocks,
    defects: Sequence[Defect],
) -> list[Cause]:
    """The causes of the failures of one signature; the last takes those for which there was no budget."""
    found: list[Cause] = []
    while remaining and len(found) < MOST_PER_SIGNATURE and (probe.calls_left > 0 or not found):
        cause = _cause(probe, signature, remaining, first, blocks, defects)
        cause = replace(cause, explains=tuple(explained(probe, cause, remaining)))
        remaining = without(remaining, cause.explains)
        first = failing_by_itself(probe, signature, remaining)
        found.append(cause)
    if remaining:
        last = found[-1]
        found[-1] = replace(last, explains=(*last.explains, *remaining), unclassified=len(remaining))
    return found


def _cause(
    probe: Probe,
    signature: FailureSignature,
    remaining: Sequence[Failure],
    first: Failure | None,
    blocks: Blocks,
    defects: Sequence[Defect],
) -> Cause:
    each_fresh = probe.restarting()
    smallest = smallest_case(probe, each_fresh, signature, remaining, first, blocks)
    examination = Examination()
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
