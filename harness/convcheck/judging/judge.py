"""Judging cases: the calls are made, then the oracles speak. The candidate runs before the reference."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from convcheck.execution.candidate import Candidate
from convcheck.judging.precision_sampling import sample_precision
from convcheck.judging.tally import Failure, Shown, Tally, count
from convcheck.model.calls import Call, Died, Hung, Outcome
from convcheck.model.case import Case
from convcheck.model.origins import Origin
from convcheck.model.verdicts import FAILURES, Status, Verdict
from convcheck.model.work import is_large
from convcheck.oracles import CALL, CallKey, Oracle, Trial, due, extra_calls, find, judge
from convcheck.oracles.levels import level_alone, levels_shown
from convcheck.oracles.parity import unspecified

_SAMPLED = 8
"""The precision that a candidate computes in is looked at in one case of so many."""

_RARELY: Final = 8
"""Of layers that reach far, oracles with calls of their own are asked so many times less often: a call takes long."""

Excluded: TypeAlias = Callable[[Case, Verdict], bool]
"""Whether a failing verdict on a case is known and so must not become a finding."""


def nothing_excluded(_case: Case, _verdict: Verdict) -> bool:
    """Every failure is a finding."""
    return False


Heard: TypeAlias = Callable[["Case | None", Sequence[Verdict], "Tally"], None]
"""Told of each case once it is judged, None for a history, with its verdicts and what it adds to the tally."""


def nobody(_case: Case | None, _verdicts: Sequence[Verdict], _tally: Tally) -> None:
    """Listens to nothing."""


def judge_case(
    candidate: Candidate, case: Case, oracles: Sequence[Oracle] | None = None
) -> tuple[tuple[Verdict, ...], float, float]:
    """The verdicts on one case, and the seconds spent in the candidate and in judging.

    Args:
        candidate: the candidate.
        case: the case.
        oracles: who judges; by default those that are due for this case.
    """
    _, verdicts, in_candidate, in_judging = _judged(candidate, case, oracles)
    return verdicts, in_candidate, in_judging


def _judged(
    candidate: Candidate, case: Case, oracles: Sequence[Oracle] | None
) -> tuple[Trial | None, tuple[Verdict, ...], float, float]:
    oracles = due(case) if oracles is None else oracles
    reason = candidate.capabilities.unsupported(case) or (unspecified(case) if case.violation else None)
    if reason is not None:
        return None, (Verdict("capabilities", "call", Status.NOT_APPLICABLE, ("",), reason),), 0.0, 0.0
    trial = Trial(case, candidate.capabilities)
    outcomes, in_candidate = _made(candidate, trial.calls)
    if any(isinstance(outcome, Died | Hung) for outcome in outcomes.values()):
        # nothing else counts then, and of the hundreds of calls of a soak each might end a process or take the limit
        oracles = tuple(o for o in oracles if not o.has_own_calls)
    elif extra := extra_calls(trial, oracles):
        more, seconds = _made(candidate, extra)
        outcomes, in_candidate = outcomes | more, in_candidate + seconds
    trial = trial.with_outcomes(outcomes)
    start = time.perf_counter()
    return trial, judge(trial, oracles), in_candidate, time.perf_counter() - start


def _made(candidate: Candidate, calls: Mapping[CallKey, Call]) -> tuple[dict[CallKey, Outcome], float]:
    """The outcomes of some calls, and the seconds that they took."""
    made = tuple(calls.values())  # tensors are drawn before the clock starts
    start = time.perf_counter()
    outcomes = candidate.call_all(made)
    return dict(zip(calls, outcomes, strict=True)), time.perf_counter() - start


class Judge:
    """Judges the cases of a part of a run one by one, and adds up what they come to.

    Args:
        candidate: the candidate.
        block: the index of the part.
        clause: only verdicts on this clause count; None for all.
        origin: how its cases come about.
        heard: told of each case.
        past: what the first cases of the part came to, where they have been judged before.
        past_cases: these.
    """

    def __init__(
        self,
        candidate: Candidate,
        block: int,
        clause: str | None = None,
        origin: Origin = Origin.DRAWN,
        *,
        heard: Heard = nobody,
        past: Tally | None = None,
        past_cases: Sequence[Case] = (),
    ) -> None:
        self.candidate = candidate
        self.tally = Tally()
        self._block = block
        self._clause = clause
        # asked of one clause, whatever is right about that is what a run has to show
        self._shown: Shown = levels_shown if clause is None else level_alone
        self._origin = origin
        self._heard = heard
        self._cases = list(past_cases)
        if past is not None:
            self.tally.add(past)

    def __call__(self, case: Case, oracles: Sequence[Oracle] | None = None) -> tuple[Verdict, ...]:
        """The verdicts on the next case, by default those of the oracles that are due."""
        start = time.perf_counter()
        one, position = Tally(), self.tally.cases
        if oracles is None and self._origin is Origin.REACH:
            oracles = due(case, _RARELY)
        trial, verdicts, in_candidate, in_judging = _judged(self.candidate, case, oracles)
        if trial is not None and position % _SAMPLED == 0 and not is_large(case):
            one.precision_samples += sample_precision(trial)
        if self._clause is not None:
            verdicts = tuple(v for v in verdicts if self._clause in v.clauses)
        count(one, case, verdicts, self._shown)
        one.origins[self._origin] += 1
        one.failures += [Failure(self._block, position, case, v, self._origin) for v in first_causes(verdicts)]
        one.seconds["candidate"] += in_candidate
        one.seconds["judging"] += in_judging
        one.seconds["bookkeeping"] += time.perf_counter() - start - in_candidate - in_judging
        self._cases.append(case)
        self.add(one, case, verdicts)
        return verdicts

    def add(self, one: Tally, case: Case | None = None, verdicts: Sequence[Verdict] = ()) -> None:
        """Add what a case or a history comes to, and tell of it."""
        self.tally.add(one)
        if self._origin is Origin.SEARCHED and self.tally.failures:
            self.tally.searched[self._block] = self._cases
        self._heard(case, verdicts, one)


def judge_block(candidate: Candidate, cases: Sequence[Case], block: int, clause: str | None = None) -> Tally:
    """The tally of given cases.

    Args:
        candidate: the candidate.
        cases: the block.
        block: its number.
        clause: only verdicts on this clause count; None for all.
    """
    judge_next = Judge(candidate, block, clause)
    for case in cases:
        judge_next(case)
    return judge_next.tally


def first_causes(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The failing verdicts of one case, one a quantity: the first oracle's, without those that are redundant.

    A call that failed has no results to judge; a wrong result breaks the adjoint identity and the double
    backward as well.
    """
    failing = [v for v in verdicts if v.status in FAILURES]
    calls = [v for v in failing if v.quantity == CALL]
    refused = calls and calls[0].status is Status.WRONGLY_REFUSED
    if refused and any(find(v.oracle).explains_refusals for v in failing):
        failing = [v for v in failing if v.quantity != CALL]
    elif calls:
        return tuple(calls[:1])
    by_quantity: dict[str, Verdict] = {}
    for verdict in failing:
        by_quantity.setdefault(verdict.quantity, verdict)
    for quantity in [q for q, v in by_quantity.items() if find(v.oracle).redundant]:
        if len(by_quantity) > 1:
            del by_quantity[quantity]
    return tuple(by_quantity.values())
