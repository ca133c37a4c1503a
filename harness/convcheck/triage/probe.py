"""The probe: puts cases to a candidate again, within a budget of calls, and remembers what came of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from convcheck.execution import Candidate, RestartingCandidate
from convcheck.judging.judge import Excluded, first_causes, nothing_excluded
from convcheck.model.calls import Call
from convcheck.model.case import Case
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles import CALL, PRECISION, RESULT, CallKey, Oracle, Trial, applicable, due, extra_calls, judge
from convcheck.oracles.parity import unspecified
from convcheck.oracles.support.trial import INTEGERS, REALS, plain_key
from convcheck.triage.failure_signature import FailureSignature

MOST_CALLS: Final = 6000
"""Calls of a candidate in all its findings, unless told otherwise; what is left is reported as not looked at.

A bound on the time: seconds for a small kernel. One cause takes up to 320 cases to shrink, 300 to learn when it
fails and 500 to put that to the test (`shrink.MOST_TRIALS`, `samples.MOST_CASES`,
`failure_condition.MOST_ATTEMPTS`), of one or two calls each for a wrong result, twice where it passes.
"""

CALLS_OF_RESTART: Final = 3
"""Calls that a restart counts for: a worker is forked in the time of some."""


@dataclass(slots=True)
class Budget:
    """Calls that are left, shared by all probes of a candidate; none after a time of the clock."""

    left: int
    until: float = math.inf
    clock: Callable[[], float] = time.monotonic

    @property
    def time_is_up(self) -> bool:
        """Whether no more calls are made, however many are left."""
        return self.clock() >= self.until

    @contextmanager
    def beyond_time(self) -> Iterator[None]:
        """For the few calls without which nothing is known of what was found in time."""
        until, self.until = self.until, math.inf
        try:
            yield
        finally:
            self.until = until

    def set_aside(self, share: int) -> int:
        """Leave a share of the calls, and return how many are set aside, to be added again."""
        set_aside = max(0, self.left - share)
        self.left -= set_aside
        return set_aside


class Probe:
    """A candidate with a bounded number of calls, made only where they can show a failure signature.

    A case that is put to it twice is called once: what it came to is remembered until `fresh`.

    Args:
        candidate: it is called.
        excluded: failures that do not count.
        budget: the calls; when they are spent, no case fails any more.
        calls_per_case: that each case costs besides its own.
        blank: makes the trial of a case before its calls; probes that share one share the tensors.
    """

    def __init__(
        self,
        candidate: Candidate,
        excluded: Excluded = nothing_excluded,
        budget: Budget | None = None,
        calls_per_case: int = 0,
        blank: Callable[[Case], Trial] | None = None,
    ) -> None:
        self.candidate = candidate
        self.budget = budget or Budget(MOST_CALLS)
        self.blank = blank or self._new_trial
        self._calls_per_case = calls_per_case
        self._excluded = excluded
        self._known: dict[tuple[str, FailureSignature], tuple[Verdict, ...]] = {}

    @property
    def calls_left(self) -> int:
        """Calls that are left."""
        return 0 if self.budget.time_is_up else self.budget.left

    def restarting(self) -> Probe:
        """A probe of the same candidate and budget that puts every case to a fresh one."""
        return Probe(RestartingCandidate(self.candidate), self._excluded, self.budget, CALLS_OF_RESTART)

    def fresh(self) -> None:
        """Restart the candidate and forget what it did; once the time is over it may stay as it is."""
        if not self.budget.time_is_up:
            self.candidate.restart()
        self._known.clear()

    def failing(self, case: Case, signature: FailureSignature) -> Verdict | None:
        """The verdict by which a case fails with this signature; None if it does not, or no calls are left."""
        causes = first_causes(self._verdicts(case, signature))
        found = next((v for v in causes if FailureSignature.of(v) == signature), None)
        return None if found is None or self._excluded(case, found) else found

    def again(self, case: Case, signature: FailureSignature) -> Verdict | None:
        """As `failing`, but the case is called again even if it has been."""
        self._known.pop((case.token, signature), None)
        return self.failing(case, signature)

    def label(self, case: Case, signature: FailureSignature, shown_by: str = "") -> bool | None:
        """Whether a case fails with this signature; None if it fails otherwise, or could not have.

        Args:
            case: it is called unless it has been.
            signature: of the failure.
            shown_by: the oracle that finds it, by name: where that passes, it did not fail. So a right shape tells
                nothing about wrong values, but all about wrong shapes.
        """
        verdicts = self._verdicts(case, signature)
        causes = first_causes(verdicts)
        if any(FailureSignature.of(v) == signature for v in causes):
            return None if self.failing(case, signature) is None else True
        passed = (shown_by, signature.quantity, Status.PASS)
        excluded = any(signature.excluded_by(v) or (v.oracle, v.quantity, v.status) == passed for v in verdicts)
        return False if not causes and excluded else None

    def replay(self, case: Case) -> None:
        """Make all the calls that a campaign makes of a case, for what they leave behind."""
        trial = self.blank(case)
        if self.calls_left > 0 and not self._not_applicable(case):
            self.made(trial, {**trial.calls, **extra_calls(trial, due(case))})

    def trial(self, case: Case, signature: FailureSignature) -> Trial:
        """The trial of a case after the calls that can show a signature."""
        trial = self.blank(case)
        return self.made(trial, calls_showing(trial, signature))

    def made(self, trial: Trial, calls: Mapping[CallKey, Call]) -> Trial:
        """The trial after some calls, which are taken off what is left."""
        self.budget.left -= len(calls) + self._calls_per_case
        return trial.with_outcomes(dict(zip(calls, self.candidate.call_all(tuple(calls.values())), strict=True)))

    def _new_trial(self, case: Case) -> Trial:
        return Trial(case, self.candidate.capabilities)

    def _verdicts(self, case: Case, signature: FailureSignature) -> tuple[Verdict, ...]:
        key = (case.token, signature)
        if key not in self._known:
            if self.calls_left <= 0 or self._not_applicable(case):
                return ()
            self._known[key] = judge(self.trial(case, signature), oracles_showing(case, signature))
        return self._known[key]

    def _not_applicable(self, case: Case) -> bool:
        if self.candidate.capabilities.unsupported(case) is not None:
            return True
        return case.violation is not None and unspecified(case) is not None


def oracles_showing(case: Case, signature: FailureSignature) -> tuple[Oracle, ...]:
    """The oracles to ask when a failure is to be repeated."""
    if signature.kind in (RESULT, PRECISION):
        return tuple(o for o in applicable(case) if o.kind in (CALL, RESULT, PRECISION))
    named = (signature.kind, signature.asked_by)
    return tuple(o for o in applicable(case) if not o.has_own_calls or o.name in named)


def calls_showing(trial: Trial, signature: FailureSignature) -> Mapping[CallKey, Call]:
    """The calls in which a signature can show, in the order of the campaign."""
    if signature.kind not in (RESULT, PRECISION):
        return {**trial.calls, **extra_calls(trial, oracles_showing(trial.case, signature))}
    if not trial.case.is_legal_call:
        return trial.calls  # one, whatever the signature
    regimes = (INTEGERS,) if signature.kind == RESULT else (INTEGERS, REALS)
    wanted = {plain_key(regime, "grad_input" if signature.backward else "output") for regime in regimes}
    made = (item for regime in regimes for item in trial.calls_on(regime).items())
    return {key: call for key, call in made if key in wanted} or trial.calls
