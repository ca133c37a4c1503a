"""Hidden state: the same buffers with new contents, other layers, sizes and dtypes between, the first call again.

An implementation may cache what it derives from its arguments: packed weights, index tables, workspaces.
A cache that goes by address, shape or object identity gives a result of earlier contents. Every call is
judged on exact integers, so a stale result shows whatever it is a result of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from convcheck.model.calls import Call, Operation
from convcheck.model.case import Case
from convcheck.model.levels import Level
from convcheck.model.verdicts import Verdict
from convcheck.oracles.oracle import Oracle, Priority
from convcheck.oracles.support import sequence
from convcheck.oracles.support.judged_call import JudgedCall
from convcheck.oracles.support.sequence import Step
from convcheck.oracles.support.trial import Trial
from convcheck.tensors.layouts import conformed

NAME = "state"
CLAUSE = "C2D-PURE-4"

_OTHER_DTYPE = {"float32": "float64", "float64": "float32", "float16": "float32", "bfloat16": "float32"}


def calls(trial: Trial) -> dict[str, Call]:
    """The sequence; every step reuses the buffers of the one before where shapes allow."""
    return sequence.calls(trial.once(steps))


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge each step's results, one verdict a quantity (clause C2D-PURE-4)."""
    yield from sequence.judge(trial, NAME, CLAUSE, trial.once(steps))


def steps(trial: Trial) -> dict[str, Step]:
    """The steps by what sets each apart from the one before; none for an empty batch."""
    return {} if trial.case.batch == 0 else dict(_steps(trial))


def _steps(trial: Trial) -> Iterator[tuple[str, Step]]:
    """A larger image and batch, A, B one tensor at a time, another stride and dtype, A again; then B and A backward."""
    case = trial.case
    a, b, of_b = trial.integers, trial.other_integers, trial.other_case

    def of(other: Case) -> Trial:
        return Trial(other, trial.capabilities)

    larger = np.pad(a.x, [(0, 0)] * (a.x.ndim - 2) + [(0, 1), (0, 1)], mode="edge")
    grown = of(replace(case, input_shape=larger.shape))
    yield "a larger image", Step(JudgedCall(grown, replace(a, x=larger)), grown.case)
    if not case.unbatched:
        batch = conformed(np.concatenate([b.x, a.x[:1]]), case.layouts[0])
        several = of(replace(case, input_shape=batch.shape))
        yield "a larger batch", Step(JudgedCall(several, replace(a, x=batch)), several.case)
    yield "the image of the case", Step(JudgedCall(trial, a))
    yield "x changed in place", Step(JudgedCall(trial, replace(a, x=b.x)), of_b)
    yield "weight changed in place", Step(JudgedCall(trial, replace(a, x=b.x, weight=b.weight)), of_b)
    if b.bias is not None:
        yield "bias changed in place", Step(JudgedCall(trial, b), of_b)
    if case.arguments.padding != "same":
        wider = tuple(s + 1 for s in case.params.stride)
        strided = of(replace(of_b, arguments=replace(case.arguments, stride=wider)))
        yield "another stride", Step(JudgedCall(strided, b), strided.case)
    dtype = _OTHER_DTYPE.get(case.dtype)
    if dtype in trial.capabilities.dtypes:
        other = of(replace(case, dtype=dtype))
        yield "another dtype", Step(JudgedCall(other, other.integers), other.case)
    yield "the first contents again", Step(JudgedCall(trial, a))
    if trial.capabilities.gradients:
        yield "other contents backward", Step(JudgedCall(trial, b, Operation.BACKWARD), of_b)
        yield "the first contents backward", Step(JudgedCall(trial, a, Operation.BACKWARD))


ORACLE: Final = Oracle(NAME, judge, calls, level=Level.STATE, every=20, priority=Priority.OWN_CALLS, of_state=True)
