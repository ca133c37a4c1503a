"""Sanitizers: no call of a legal layer is reported on by a tool that watches every access to memory.

What it sees need not show in any value: a read beyond a buffer of the candidate's own, a race that went well this time.
Trials that were not made under a sanitizer are none of its business.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from convcheck.model.calls import Sanitized
from convcheck.model.sanitizers import Sanitizer
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.memory import OUTSIDE
from convcheck.oracles.oracle import AtScale, Oracle
from convcheck.oracles.support.trial import Trial

NAME = "sanitizer"

CLAUSES: Final = {
    Sanitizer.ADDRESS: OUTSIDE,
    Sanitizer.MEMCHECK: OUTSIDE,
    Sanitizer.RACECHECK: "C2D-PURE-4",
    Sanitizer.INITCHECK: "C2D-PURE-2",
    Sanitizer.SYNCCHECK: "C2D-PURE-4",
}
"""What a report breaks: nothing outside is touched, nothing shows what was in memory before, threads do not decide."""


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge every call that was made under a sanitizer."""
    for outcome in trial.outcomes.values():
        if isinstance(outcome, Sanitized):
            yield _verdict(outcome)


def _verdict(outcome: Sanitized) -> Verdict:
    if outcome.reports:
        return reported(outcome.sanitizer, outcome.reports)
    if outcome.unseen:
        return says_nothing(outcome.sanitizer, outcome.unseen)
    return Verdict(NAME, "memory", Status.PASS, (CLAUSES[outcome.sanitizer],))


def reported(sanitizer: Sanitizer, reports: tuple[str, ...]) -> Verdict:
    """The verdict that a sanitizer reported something."""
    more = f" (and {len(reports) - 1} more)" if len(reports) > 1 else ""
    reason = f"{sanitizer.label} reports: {reports[0]}{more}"
    return Verdict(NAME, "memory", Status.FAIL, (CLAUSES[sanitizer],), reason)


def says_nothing(sanitizer: Sanitizer, why: str) -> Verdict:
    """The verdict that nothing is known."""
    reason = f"{sanitizer.label} says nothing: {why}"
    return Verdict(NAME, "memory", Status.NOT_APPLICABLE, (CLAUSES[sanitizer],), reason)


ORACLE: Final = Oracle(NAME, judge, at_scale=AtScale.WHOLE)
