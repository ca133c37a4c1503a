"""Memory: nothing outside the tensors is touched, and a result is nobody else's memory.

A read outside that is discarded, or a write that hits nothing of interest, leaves every value right; so
this judges what was seen around the tensors. Out-of-bounds accesses in a worker end its process; they
are found by `parity`, under the same clause.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from convcheck.model.calls import Returned
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.oracle import AtScale, Oracle
from convcheck.oracles.support.trial import Trial

NAME = "memory"
OUTSIDE = "C2D-PURE-5"
OWN_RESULTS = "C2D-PURE-6"

_INSIDE = Verdict(NAME, "inputs", Status.PASS, (OUTSIDE,))
_OWN = Verdict(NAME, "memory", Status.PASS, (OWN_RESULTS,))


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge every call of a legal case that returned."""
    if trial.case.violation is not None:
        return
    for outcome in trial.outcomes.values():
        if isinstance(outcome, Returned):
            yield _outside(outcome)
            yield _own_results(outcome)


def _outside(outcome: Returned) -> Verdict:
    if outcome.spilled:
        reason = f"the call changed bytes outside {', '.join(outcome.spilled)}"
        return Verdict(NAME, "inputs", Status.FAIL, (OUTSIDE,), reason)
    if outcome.copied:
        reason = f"the candidate has copies of {', '.join(outcome.copied)} in memory that cannot be watched"
        return Verdict(NAME, "inputs", Status.NOT_APPLICABLE, (OUTSIDE,), reason)
    return _INSIDE


def _own_results(outcome: Returned) -> Verdict:
    if outcome.overwritten:
        reason = f"results of an earlier call changed: {', '.join(outcome.overwritten)}"
        return Verdict(NAME, "memory", Status.FAIL, (OWN_RESULTS,), reason)
    if outcome.aliased:
        shared = ", ".join(outcome.aliased)
        reason = f"results share memory: {shared}; whoever changes one in place changes the other, so return a copy"
        return Verdict(NAME, "memory", Status.FAIL, (OWN_RESULTS,), reason)
    return _OWN


ORACLE: Final = Oracle(NAME, judge, at_scale=AtScale.WHOLE)
