"""Failures that do not repeat by themselves: the cases that have to run before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from convcheck.model.case import Case


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
