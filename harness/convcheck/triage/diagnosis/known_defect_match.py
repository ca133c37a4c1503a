"""Known defects: those of a library whose results are the candidate's, wherever it was asked.

On integers equal means bit for bit, so a wrong index, a lost bias or a skipped tail has hardly a double.
Lost precision does not show there: such a defect is compared on reals, where the candidate may differ
from the emulated defect by the legal rounding errors of both only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

from convcheck.model.case import Case
from convcheck.model.diagnosis import KnownDefectMatch
from convcheck.model.rules import facts
from convcheck.oracles import RESULT, Trial
from convcheck.plugin.reference_backend import ReferenceBackend
from convcheck.triage.diagnosis.agreement import agree
from convcheck.triage.diagnosis.behaviour import Behaviour, Witness
from convcheck.triage.diagnosis.suspects import EVERYTHING, Defect, Suspect, Suspects, sharing
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import Budget, Probe

LEAST_WRONG: Final = 3
"""Failing cases that a defect must reproduce before it is named: in one or two, simple defects look alike."""

_MOST_NAMED: Final = 3
"""Names that are reported, so that a finding stays readable."""

_TELLING: Final = 24
"""Cases that are asked because they tell suspects apart, from each other or from what is right: a bound on the calls.
Each of them parts the suspects that are left at least once more."""

_BREAKS_TIES: Final = 0.001
"""What a character of a region weighs against a failing case inside it: it decides between equal fits only."""


def match_known_defects(
    probe: Probe,
    signature: FailureSignature,
    failing: Sequence[Case],
    others: Sequence[Iterable[Case]],
    defects: Sequence[Defect],
) -> tuple[KnownDefectMatch, ...]:
    """The defects that behave like the candidate, those whose region fits best first.

    Empty if none does, or if the time for causes ends before all cases are compared: the calls of a defect of ours are
    not counted, but hundreds of them take minutes where a signature asks for many calls.

    Args:
        probe: of the candidate.
        signature: how it fails.
        failing: cases that show it, the smallest first.
        others: cases around them, and elsewhere; of each the candidate is asked the ones that part the
            remaining defects, and what is right, into most groups.
        defects: the library, without those that end their process.
    """
    suspects, theirs = Suspects(probe, signature, defects), Witness(probe, signature)
    for case in failing:
        if suspects.left and not probe.budget.time_is_up:
            suspects.ask(case, theirs(case), wrong=True)
    for case in chain.from_iterable(_telling(suspects, cases, probe.budget) for cases in others):
        label = probe.label(case, signature)
        if label is not None:
            suspects.ask(case, theirs(case), wrong=label)
    if probe.budget.time_is_up:
        return ()
    compared = [case for case in failing if case.is_legal_call][:LEAST_WRONG]
    named = [
        s for s in suspects.left if s.matched >= LEAST_WRONG and not any(suspects.spoils(s, c, probe) for c in compared)
    ]
    if len(named) > 1:
        named.sort(key=lambda s: (-_entirely(failing[0], probe, s), -_fit(s.defect, failing)))
    return tuple(s.match for s in named[:_MOST_NAMED])


def _telling(suspects: Suspects, cases: Iterable[Case], budget: Budget) -> Iterator[Case]:
    """The cases that tell most about the suspects that are left when they are asked for, `_TELLING` at most; none
    after the time of a budget.
    """
    pool = list(cases)
    for _ in range(_TELLING):
        best: tuple[int, int] | None = None
        for at, case in enumerate(pool if suspects.left else ()):
            if budget.time_is_up:
                return
            groups = suspects.groups(case)
            if groups > (best[0] if best else 1):
                best = groups, at
            if groups > len(suspects.left):
                break
        if best is None:
            return
        yield pool.pop(best[1])


def match_after_setup(
    probe: Probe, signature: FailureSignature, setup: Sequence[Case], case: Case, defects: Sequence[Defect]
) -> tuple[KnownDefectMatch, ...]:
    """The defects that give the candidate's results when the same cases ran before, each time from the start.

    Empty if the time for causes ends before.

    Args:
        probe: of the candidate.
        signature: how it fails; only wrong results are compared.
        setup: cases that have to run first.
        case: fails after them.
        defects: the library, without those that end their process.
    """
    if signature.kind != RESULT:
        return ()
    make = sharing(probe)
    right = make(ReferenceBackend)
    suspects = [Suspect(d, Witness(make(d.backend), signature)) for d in defects]
    for more in range(LEAST_WRONG + 1):
        if probe.budget.time_is_up:
            return ()
        last = replace(case, seed=case.seed + more)
        theirs = tuple(_without_and_with(probe, setup, last, signature))
        rightly = right.trial(last, signature)
        wrong = not agree(theirs[1], rightly, signature.quantity)
        # outside of its region a defect is right, whatever ran before
        shown = [
            _without_and_with(s.witness.probe, setup, last, signature)
            if s.defect.region.holds(facts(last))
            else (rightly, rightly)
            for s in suspects
        ]
        suspects = [
            suspect
            for suspect, its in zip(suspects, shown, strict=True)
            if all(agree(a, b, signature.quantity) for a, b in zip(theirs, its, strict=True))
        ]
        for suspect in suspects:
            suspect.count(wrong=wrong)
    return tuple(s.match for s in suspects if s.matched >= LEAST_WRONG)[:_MOST_NAMED]


def _without_and_with(probe: Probe, setup: Sequence[Case], case: Case, signature: FailureSignature) -> Iterator[Trial]:
    """The trials of a case by itself and after others, each time on a fresh candidate, made when it is asked for."""
    probe.fresh()
    yield probe.trial(case, signature)
    probe.fresh()
    for earlier in setup:
        probe.replay(earlier)
    yield probe.trial(case, signature)


def reproduces(probe: Probe, signature: FailureSignature, case: Case, defect: Defect) -> bool:
    """Whether a defect gives the candidate's results in one case."""
    suspects = Suspects(probe, signature, [defect])
    suspects.ask(case, Behaviour(probe, case, signature), wrong=True)
    return bool(suspects.left)


def _entirely(case: Case, probe: Probe, suspect: Suspect) -> bool:
    """Whether a defect gives every quantity as the candidate does, not only the one that is wrong."""
    theirs, its = (one.trial(case, EVERYTHING) for one in (probe, suspect.witness.probe))
    return agree(theirs, its, EVERYTHING.quantity)


def _fit(defect: Defect, failing: Sequence[Case]) -> float:
    """How well the region of a defect fits: the cases that fail lie inside; a narrow region says more."""
    legal = [case for case in failing if case.violation is None]
    inside = sum(defect.region.holds(facts(case)) for case in legal)
    return inside / max(1, len(legal)) + _BREAKS_TIES * len(defect.region.text)
