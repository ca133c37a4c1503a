"""Failures as they came, that nobody could look into: a finding for each kind, and nothing said of its cause."""

from __future__ import annotations

from collections.abc import Sequence

from convcheck.judging.tally import Failure
from convcheck.model.history import write
from convcheck.model.record import Finding
from convcheck.model.reproduction import Reproduction
from convcheck.oracles.levels import level_of
from convcheck.oracles.support.exercised import telling_clause
from convcheck.triage.causes import size, without
from convcheck.triage.priority import grouped, in_order
from convcheck.triage.triage import Triage


def unexamined(backend: str, failures: Sequence[Failure]) -> Triage:
    """The simplest failure of each group as a finding that accounts for nothing else, without a call of the candidate.

    Whether the others have its cause, nobody knows: they are not looked at.

    Args:
        backend: its name.
        failures: in the order of the run.
    """
    groups = grouped(failures)
    simplest = [min(groups[group], key=size) for group in in_order(groups)]
    return Triage(
        findings=tuple(_finding(backend, failure) for failure in simplest),
        accounted=tuple((failure,) for failure in simplest),
        not_looked_at=tuple(without(failures, simplest)),
    )


def _finding(backend: str, failure: Failure) -> Finding:
    case, verdict = failure.case, failure.verdict
    return Finding(
        backend=backend,
        clause=telling_clause(verdict.clauses),
        level=level_of(case, verdict),
        verdict=verdict,
        reproduction=Reproduction(
            token=case.token, first_failing_case=case.token, history=write(failure.history or ())
        ),
        dtypes=(case.dtype,),
        origins=(failure.origin,),
    )
