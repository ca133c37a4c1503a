"""Interleaved graphs: two outputs before either is differentiated, the later one first, on exact integers.

What a forward pass keeps for its gradients anywhere but in its own graph, as in a buffer of the module or a workspace
of the last call, is that of the other by then.
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

NAME = "gradients-interleaved"
CLAUSE = "C2D-GRAD-12"
_DIFFERENCE: Final = 2.0


def calls(trial: Trial) -> Mapping[str, Call]:
    """Two forward passes, then their backward passes in the other order."""
    return two_passes(trial, Mode.INTERLEAVED)


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge the difference of both passes' results (clause C2D-GRAD-12)."""
    return judge_two_passes(trial, NAME, CLAUSE, "of two outputs differentiated in the other order", _DIFFERENCE)


ORACLE: Final = Oracle(NAME, judge, calls, level=Level.STATE, every=32, priority=Priority.OWN_CALLS, redundant=True)
