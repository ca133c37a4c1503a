"""Accumulation: the gradients of a second output are added to those that `.grad` holds, on exact integers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from convcheck.model.calls import Call, Mode
from convcheck.model.levels import Level
from convcheck.model.verdicts import Verdict
from convcheck.oracles.oracle import Oracle, Priority
from convcheck.oracles.support.trial import Trial
from convcheck.oracles.support.two_passes import judge_two_passes, two_passes

NAME = "gradients-accumulated"
CLAUSE = "C2D-GRAD-10"


def calls(trial: Trial) -> Mapping[str, Call]:
    """The backward passes of two outputs, one after the other."""
    return two_passes(trial, Mode.ACCUMULATED)


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge what `.grad` holds after both (clause C2D-GRAD-10)."""
    return judge_two_passes(trial, NAME, CLAUSE, "in .grad after the backward passes of two outputs")


ORACLE: Final = Oracle(NAME, judge, calls, level=Level.STATE, every=32, priority=Priority.OWN_CALLS, redundant=True)
