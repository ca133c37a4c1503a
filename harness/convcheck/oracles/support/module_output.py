"""Whether the output of a module is the convolution of its input with the parameters that it says it has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from convcheck.model.calls import Returned
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.support.compare import compare_bounded
from convcheck.oracles.support.error_level import flushing, level_of_error
from convcheck.oracles.support.expected import Expected
from convcheck.oracles.support.trial import SINGLE_CALL, Trial
from convcheck.tensors.values import Values
from convcheck_reference.formats import DTYPES


def judge_output(name: str, trial: Trial, outcome: Returned, clauses: tuple[str, ...], what: str) -> Iterator[Verdict]:
    """The verdict on the output; none on an empty one.

    Args:
        name: of the oracle.
        trial: its case entered through the module.
        outcome: its parameters have the shapes of the layer.
        clauses: that it is about.
        what: the reason begins with it.
    """
    case = trial.case
    output, weight = outcome.arrays.get("output"), outcome.arrays.get("weight")
    assert weight is not None
    got = None if output is None else output.shape
    if output is None or got != case.output_shape or output.dtype != DTYPES[case.dtype]:
        kind = "nothing" if output is None else f"{output.dtype} {got}"
        reason = f"{what} is {kind}; expected {case.dtype} {case.output_shape}"
        yield Verdict(name, "module", Status.FAIL, clauses, reason)
        return
    if output.size == 0:
        return
    x = trial.calls[SINGLE_CALL].tensors["x"].values
    values = Values(x, weight, outcome.arrays.get("bias"), np.zeros(case.output_shape, x.dtype))
    expected = Expected(case, values)
    profile = trial.capabilities.promised(case, "output")
    bound = expected.bound("output", profile)
    if bound is None:
        yield Verdict(name, "module", Status.VACUOUS, clauses, expected.unbounded("output", profile))
        return
    compared = compare_bounded(output, expected.sum("output").value, bound)
    if compared.status is Status.PASS:
        yield Verdict(name, "module", Status.PASS, clauses, margin=compared.margin)
        return
    reason = f"{what} is not conv2d of its parameters"
    level = level_of_error(output, expected.sum("output"), bound, expected.bound("output", flushing(profile)))
    yield Verdict(name, "module", compared.status, clauses, reason, compared.margin, compared.evidence, level)
