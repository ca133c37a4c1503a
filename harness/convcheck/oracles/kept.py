"""Kept results: what a call has returned stays as it was when later calls are made."""

from __future__ import annotations

from collections.abc import Iterator

from convcheck.calls import Returned
from convcheck.oracles.trial import Trial
from convcheck.verdicts import Status, Verdict

NAME = "kept"
CLAUSE = "C2D-PURE-4"


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge every call of the trial: whether the results of the call before it had changed since."""
    if trial.case.violation is not None:
        return
    overwritten = [
        (before, after, outcome.overwritten)
        for (before, _), (after, outcome) in zip(
            list(trial.outcomes.items())[:-1], list(trial.outcomes.items())[1:], strict=True
        )
        if isinstance(outcome, Returned) and outcome.overwritten
    ]
    if not overwritten:
        yield Verdict(NAME, "results", Status.PASS, (CLAUSE,))
        return
    before, after, names = overwritten[0]
    reason = f"{', '.join(names)} of the call '{before}' changed after it was returned: during or before '{after}'"
    yield Verdict(NAME, "results", Status.FAIL, (CLAUSE,), reason)
