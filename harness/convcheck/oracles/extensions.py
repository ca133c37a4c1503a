"""Extensions: what a backend documents where torch refuses, judged by the legal layer that computes the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Outcome, Raised, Returned
from convcheck.model.case import Case
from convcheck.model.extensions import Equivalent, Extension, equivalent
from convcheck.model.levels import Level
from convcheck.model.verdicts import Evidence, Status, Verdict
from convcheck.oracles.oracle import AtScale, Oracle
from convcheck.oracles.support.compare import compare_bounded
from convcheck.oracles.support.expected import Expected
from convcheck.oracles.support.trial import SINGLE_CALL, Trial
from convcheck.tensors.values import Values
from convcheck_reference.formats import DTYPES

NAME = "extensions"
LEVEL: Final = Level.COMPUTES
"""To who declares it, it is a layer like any other."""

Array = NDArray[Any]


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge an illegal case that uses an extension which the backend declares (clauses C2D-EXT-1 to -6)."""
    extension = trial.capabilities.extension_of(trial.case)
    outcome = trial.outcomes.get(SINGLE_CALL)
    if extension is None or not isinstance(outcome, Returned | Raised):
        return
    meant = equivalent(trial.case, extension)
    if meant is None:
        reason = f"more is illegal about it than {extension} allows: {trial.case.violation}"
        yield Verdict(NAME, "call", Status.NOT_APPLICABLE, (extension.clause,), reason, level=LEVEL)
    elif isinstance(outcome, Raised):
        reason = f"{extension} is declared, but {outcome.kind} was raised: {outcome.message}"
        yield Verdict(NAME, "call", Status.WRONGLY_REFUSED, (extension.clause,), reason, level=LEVEL)
    else:
        yield replace(_judge_result(trial, extension, meant, outcome), level=LEVEL)


def _judge_result(trial: Trial, extension: Extension, meant: Equivalent, outcome: Returned) -> Verdict:
    clauses, got = (extension.clause,), outcome.arrays.get("output")
    if got is None:
        reason = f"the output is no plain array: {outcome.malformed.get('output', 'there is none')}"
        return Verdict(NAME, "output", Status.FAIL, clauses, reason)
    if got.shape != meant.output_shape:
        evidence = Evidence((), str(meant.output_shape), str(got.shape), 1, 1, "the shape")
        reason = f"the output has shape {got.shape}; {extension} gives {meant.output_shape}"
        return Verdict(NAME, "output", Status.FAIL, clauses, reason, evidence=evidence)
    if meant.case is None:
        return Verdict(NAME, "output", Status.PASS, clauses)
    case, values = _legal(trial, meant, meant.case, outcome)
    if got.dtype != values.x.dtype:
        reason = f"the output has dtype {got.dtype}; {extension} gives {values.x.dtype}"
        return Verdict(NAME, "output", Status.FAIL, clauses, reason)
    expected, profile = Expected(case, values), trial.capabilities.promised(case, "output")
    bound = expected.bound("output", profile)
    if bound is None:
        return Verdict(NAME, "output", Status.VACUOUS, clauses, expected.unbounded("output", profile))
    compared = compare_bounded(got, expected.sum("output").value, bound)
    reason = "" if compared.status is Status.PASS else f"the output is not that of {extension}"
    return Verdict(NAME, "output", compared.status, clauses, reason, compared.margin, compared.evidence)


def _legal(trial: Trial, meant: Equivalent, case: Case, outcome: Outcome) -> tuple[Case, Values]:
    """The legal case, and the data of the call: padded or cropped, and of one dtype."""
    given = {name: tensor.values for name, tensor in trial.calls[SINGLE_CALL].tensors.items()}
    if trial.case.entry == "module" and isinstance(outcome, Returned):
        given |= {name: array for name in ("weight", "bias") if (array := outcome.arrays.get(name)) is not None}
    dtype = np.promote_types(given["x"].dtype, given["weight"].dtype)
    wide = {name: array.astype(dtype) for name, array in given.items()}
    name = next(name for name, known in DTYPES.items() if known == dtype)
    case = replace(case, dtype=name, entry="function")
    x = _padded(wide["x"], meant)
    return case, Values(x, wide["weight"], wide.get("bias"), np.zeros(meant.output_shape, dtype))


def _padded(x: Array, meant: Equivalent) -> Array:
    """The input with its sides padded by zeros or cropped."""
    wider = [(max(0, before), max(0, after)) for before, after in meant.sides]
    (top, bottom), (left, right) = ((max(0, -before), max(0, -after)) for before, after in meant.sides)
    height, width = x.shape[-2:]
    cropped = x[..., top : height - bottom, left : width - right]
    return np.pad(cropped, [(0, 0)] * (x.ndim - 2) + wider)


ORACLE: Final = Oracle(NAME, judge, judges_illegal=True, at_scale=AtScale.WHOLE)
