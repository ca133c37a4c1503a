"""Retained graph: a second backward pass through one graph, with another grad_output, on exact integers.

What a first pass frees or writes to, as the operands that it kept and the buffers that it returned, is missing then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from convcheck.model.calls import Call, Mode
from convcheck.model.levels import Level
from convcheck.model.verdicts import Verdict
from convcheck.oracles.oracle import Oracle, Priority
from convcheck.oracles.support.trial import Trial
from convcheck.oracles.support.two_passes import judge_two_passes, two_passes

NAME = "gradients-retained"
CLAUSE = "C2D-GRAD-11"


def calls(trial: Trial) -> Mapping[str, Call]:
    """Two backward passes through the graph of one output."""
    return two_passes(trial, Mode.RETAINED)


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge the sum of both passes' results (clause C2D-GRAD-11)."""
    return judge_two_passes(trial, NAME, CLAUSE, "of two backward passes through one graph")


ORACLE: Final = Oracle(NAME, judge, calls, level=Level.STATE, every=32, priority=Priority.OWN_CALLS, redundant=True)
