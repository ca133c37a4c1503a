"""Grad modes: the output while gradients are recorded, under no_grad and in inference mode, on exact integers.

The operands of the calls of every case require no gradient; in training they do, and other code may run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from convcheck.model.calls import Call, Mode
from convcheck.model.verdicts import Verdict
from convcheck.oracles.oracle import Oracle, Priority
from convcheck.oracles.support.own_call import Asked, integer_call, judge_own, worst
from convcheck.oracles.support.trial import Trial

NAME = "grad-modes"
CLAUSE = "C2D-GRAD-9"

_MODES: Final[Mapping[Mode, str]] = {
    Mode.RECORDED: "while gradients are recorded",
    Mode.NO_GRAD: "under no_grad",
    Mode.INFERENCE: "in inference mode",
}


def calls(trial: Trial) -> Mapping[str, Call]:
    """The forward call of the case on integers in each mode, where autograd records the backend's functions."""
    once = integer_call(trial, "output") if trial.capabilities.autograd else None
    return {} if once is None else {str(mode): replace(once, mode=mode) for mode in _MODES}


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge the output in every mode (clause C2D-GRAD-9)."""
    asked = {mode: Asked(NAME, CLAUSE, f"the output {words}") for mode, words in _MODES.items()}
    yield from worst([judge_own(trial, str(mode), "output", asked[mode]) for mode in _MODES])


ORACLE: Final = Oracle(NAME, judge, calls, every=24, priority=Priority.OWN_CALLS)
