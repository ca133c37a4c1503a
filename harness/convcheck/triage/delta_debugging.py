"""Failures that do not repeat by themselves: the cases that have to run before, the fewest of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

from convcheck.judging.tally import Failure
from convcheck.model.case import Case
from convcheck.model.verdicts import Verdict
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import Probe

Blocks: TypeAlias = Callable[[int], Sequence[Case]]
"""The cases of a block of the campaign, by its number."""

_MOST_SETUP_CASES: Final = 20
"""Cases before a failure that anyone will repeat; with more, nobody would find the cause among them."""

_MOST_CALLS: Final = 2000
"""Calls that may go into the search: half of the usual budget, so that other causes keep theirs."""


def setup_cases(probe: Probe, signature: FailureSignature, first: Failure, blocks: Blocks) -> tuple[Case, ...]:
    """The cases of its block that have to run before a failure, if they are few; empty if none are found.

    They are sought with the calls that can show the signature, which are few; if all calls of what was found do not
    lead to it, once more with all.
    """
    earlier = blocks(first.block)[: first.position]
    least = probe.calls_left - _MOST_CALLS
    for replay in (partial(probe.failing, signature=signature), probe.replay):

        def fails_after(some: Sequence[Case], replay: Callable[[Case], object] = replay) -> bool:
            return (
                probe.calls_left > least and fails_after_setup(probe, some, first.case, signature, replay) is not None
            )

        needed = minimal_setup(earlier, fails_after)
        if 0 < len(needed) <= _MOST_SETUP_CASES and fails_after_setup(probe, needed, first.case, signature) is not None:
            return needed
    return ()


def fails_after_setup(
    probe: Probe,
    setup: Sequence[Case],
    case: Case,
    signature: FailureSignature,
    replay: Callable[[Case], object] | None = None,
) -> Verdict | None:
    """The verdict by which a case fails on a fresh candidate, after other cases; None if it does not."""
    probe.fresh()
    for earlier in setup:
        (replay or probe.replay)(earlier)
    return probe.again(case, signature)


def minimal_setup(earlier: Sequence[Case], fails_after: Callable[[Sequence[Case]], bool]) -> tuple[Case, ...]:
    """The fewest of the earlier cases after which a case fails; empty if it fails only now and then.

    Delta debugging (Zeller & Hildebrandt 2002): chunks are left out, first large ones, then small ones.

    Args:
        earlier: what ran before, in order.
        fails_after: whether the case fails on a fresh candidate that has run these.
    """
    needed = tuple(earlier)
    if not needed or not fails_after(needed):
        return ()
    chunk = max(1, len(needed) // 2)
    while needed:
        for start in reversed(range(0, len(needed), chunk)):
            fewer = needed[:start] + needed[start + chunk :]
            if fails_after(fewer):
                needed = fewer
                break
        else:
            if chunk == 1:
                return needed
            chunk = max(1, chunk // 2)
            continue
        chunk = min(chunk, max(1, len(needed) // 2))
    return needed
