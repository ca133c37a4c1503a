"""Whether what an oracle of state found wrong in a call of another layer is wrong where that call is the only one.

A kernel without any state whose layers of some kind are wrong is wrong in the calls of such layers that an oracle makes
between others. That is a failure of the layer's own case, and says nothing of state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from convcheck.execution import Candidate
from convcheck.judging.judge import first_causes
from convcheck.judging.tally import Failure
from convcheck.model.case import Case
from convcheck.model.profiles import QUANTITIES
from convcheck.model.token import read
from convcheck.model.verdicts import Verdict
from convcheck.oracles import RESULT, Trial, applicable, judge, of_kind
from convcheck.oracles.support.trial import INTEGERS, plain_key


def tried_alone(candidate: Candidate, failures: Sequence[Failure], clause: str | None = None) -> Iterator[Failure]:
    """The failures, each of a call that is wrong by itself as one of that call's own case.

    Args:
        candidate: it is restarted for each case that is tried.
        failures: of a part of a run, which is over.
        clause: only failures of this clause count; None for all.
    """
    known: dict[tuple[str, str], Verdict | None] = {}
    for failure in failures:
        token, quantity = failure.verdict.alone, failure.verdict.quantity
        if token and (token, quantity) not in known:
            known[token, quantity] = _alone(candidate, read(token), quantity)
        found = known.get((token, quantity))
        if found is None:
            yield failure
        elif clause is None or clause in found.clauses:
            yield replace(failure, case=read(token), verdict=found)


def _alone(candidate: Candidate, case: Case, quantity: str) -> Verdict | None:
    """What is wrong with a quantity where the plain call that gives it is the first of a fresh candidate."""
    candidate.restart()
    trial = Trial(case, candidate.capabilities)
    key = plain_key(INTEGERS, next(q for q in QUANTITIES if q == quantity))
    trial = trial.with_outcomes({key: candidate.call(trial.calls_on(INTEGERS)[key])})
    verdicts = judge(trial, [oracle for oracle in of_kind(RESULT) if oracle in applicable(case)])
    return next((verdict for verdict in first_causes(verdicts) if verdict.quantity == quantity), None)
