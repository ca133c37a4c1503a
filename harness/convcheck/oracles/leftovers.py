"""Leftovers: a call changes no setting of its caller's process, and starts no process that outlives it.

Results may be right all the same. What is changed by a call that is refused is left changed as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from convcheck.model.calls import Raised, Returned
from convcheck.model.levels import Level
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.oracle import AtScale, Oracle
from convcheck.oracles.support.trial import Trial

NAME = "leftovers"
CLAUSE = "C2D-PURE-10"

_NOTHING: Final = Verdict(NAME, "process", Status.PASS, (CLAUSE,))


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge every call that came back, whether it returned or raised (clause C2D-PURE-10)."""
    for outcome in trial.outcomes.values():
        if not isinstance(outcome, Returned | Raised):
            continue
        if outcome.left:
            reason = f"the call left behind or changed {', '.join(outcome.left)}"
            yield Verdict(NAME, "process", Status.FAIL, (CLAUSE,), reason, level=Level.STATE)
        elif trial.case.violation is None:
            yield _NOTHING


# that nothing is left shows no result to be right, so a pass counts for no level
ORACLE: Final = Oracle(NAME, judge, judges_illegal=True, at_scale=AtScale.WHOLE)
