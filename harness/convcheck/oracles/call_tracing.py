"""Own work: in an untrusted run, a candidate that calls a framework's convolution has computed nothing itself.

Its values are right, so no other oracle can tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from convcheck.model.calls import Returned
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.oracle import AtScale, Oracle
from convcheck.oracles.support.trial import Trial

NAME = "call-tracing"
CLAUSE = "C2D-PURE-7"


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge every call of a legal case that returned to somebody who looked."""
    if trial.case.violation is not None:
        return
    for name, outcome in trial.outcomes.items():
        if not isinstance(outcome, Returned) or outcome.called is None or name not in trial.calls:
            continue
        if outcome.called:
            reason = f"the candidate called {', '.join(outcome.called)}"
            yield Verdict(NAME, "work", Status.FAIL, (CLAUSE,), reason)
        else:
            yield Verdict(NAME, "work", Status.PASS, (CLAUSE,))


ORACLE: Final = Oracle(NAME, judge, at_scale=AtScale.WHOLE)
