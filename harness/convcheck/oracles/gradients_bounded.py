"""Bounded gradients: input, weight and bias of the real-valued regime, within the derived bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from convcheck.model.levels import Level
from convcheck.model.profiles import GRADIENTS
from convcheck.model.verdicts import Verdict
from convcheck.oracles.bounded import expectation, judge_bounded
from convcheck.oracles.oracle import PRECISION, AtScale, Oracle, Priority
from convcheck.oracles.support.trial import Trial

NAME = "gradients-bounded"


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge the three gradients of a finite regime (clauses C2D-GRAD-1 to -4 and -6, and C2D-ARITH-2)."""
    for quantity in GRADIENTS:
        yield from judge_bounded(trial, quantity, NAME, "C2D-ARITH-2")


ORACLE: Final = Oracle(
    NAME,
    judge,
    level=Level.PRECISION,
    kind=PRECISION,
    priority=Priority.PRECISION,
    expectation=expectation,
    at_scale=AtScale.SLICES,
)
