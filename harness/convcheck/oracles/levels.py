"""The level of a verdict and of a finding: what each is about, from all that is known of it."""

from __future__ import annotations

from typing import Final

from convcheck.model.case import Case
from convcheck.model.levels import Level
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles import CALL, find, parity, sanitizer

_WHATEVER_THE_VALUES: Final = frozenset({Status.CRASHED, Status.HUNG, Status.UNWRITTEN})
"""Failures of legal layers that are no better for coming with NaN or lost digits."""


def level_of(case: Case, verdict: Verdict) -> Level:
    """What a verdict of an oracle on a case is about."""
    if case.violation is not None:
        return verdict.level or Level.REFUSES  # what a backend computes where torch refuses is judged as a layer of its
    level = verdict.level or find(verdict.oracle).level
    if level is not Level.STATE and verdict.status in _WHATEVER_THE_VALUES:
        return Level.COMPUTES
    return level


def kind_at(level: Level, case: Case) -> str:
    """The kind of illegal arguments that a case counts for at a level; empty at any but that of refusals.

    What torch refuses and a backend declares to compute is illegal, too, but it is not there to be refused.
    """
    return parity.kind_of_violation(case) if level is Level.REFUSES else ""


def levels_shown(case: Case, verdict: Verdict) -> tuple[Level, ...]:
    """The levels at which a passing verdict shows that something is right.

    A layer is computed right where its values are, within a bound as well as on integers; a call that came back, or a
    result of the right shape, is not enough.
    """
    level, oracle = level_of(case, verdict), find(verdict.oracle)
    if level not in (Level.COMPUTES, Level.PRECISION):
        return (level,)
    computed = (Level.COMPUTES,) if oracle.compares_values or oracle.wraps_output else ()
    return computed if level is Level.COMPUTES else (*computed, level)


def level_alone(case: Case, verdict: Verdict) -> tuple[Level, ...]:
    """The level of a verdict, whatever it says is right."""
    return (level_of(case, verdict),)


def level_of_cause(case: Case, verdict: Verdict, *, after_others: bool, now_and_then: bool) -> Level:
    """What a finding is about.

    Args:
        case: its smallest.
        verdict: on it.
        after_others: whether it takes other calls to fail, or to have been made first to pass.
        now_and_then: whether it does not fail every time. What ends a process or shows memory needs no more than that:
            an access outside is one wherever the heap happens to lie. Nor does what a sanitizer has seen.
    """
    level = level_of(case, verdict)
    if level is Level.REFUSES or verdict.oracle == sanitizer.NAME:
        return level
    of_memory = verdict.quantity == CALL or verdict.status in _WHATEVER_THE_VALUES
    return Level.STATE if after_others or (now_and_then and not of_memory) else level
