"""Module clauses: the constructor's parameters, their shapes and initialisation, and the call.

Initialisation is random, so its checks are tail bounds that a correct one violates with probability
below 10⁻¹² each: Hoeffding's inequality for the mean and the mean square of N values in ±b, and c^N for
the probability that all N stay below c·b.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Returned
from convcheck.model.verdicts import Evidence, Status, Verdict
from convcheck.oracles.oracle import Oracle, Priority
from convcheck.oracles.support.exercised import exercised
from convcheck.oracles.support.module_output import judge_output
from convcheck.oracles.support.trial import SINGLE_CALL, Trial
from convcheck_reference.formats import DTYPES, component_format
from convcheck_reference.initialisation import init_bound

NAME = "module"
FALSE_ALARM: Final = 1e-12

Array = NDArray[Any]


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge a legal case that entered through the module (clauses C2D-MODULE-1 to -6)."""
    outcome = trial.outcomes.get(SINGLE_CALL)
    if trial.case.violation is not None or trial.case.entry != "module" or not isinstance(outcome, Returned):
        return
    if outcome.malformed:
        name, problem = next(iter(outcome.malformed.items()))
        reason = f"the module's {name} is no plain array: {problem}"
        yield Verdict(NAME, "module", Status.FAIL, ("C2D-PURE-3",), reason)
        return
    parameters = list(_judge_parameters(trial, outcome))
    yield from parameters
    if all(verdict.status is Status.PASS for verdict in parameters):
        yield from _judge_initialisation(trial, outcome)
        clauses = (*exercised(trial.case), "C2D-MODULE-6")
        yield from judge_output(NAME, trial, outcome, clauses, "the module's output")


def _judge_parameters(trial: Trial, outcome: Returned) -> Iterator[Verdict]:
    params, dtype = trial.case.params, DTYPES[trial.case.dtype]
    for name, expected, clauses in (
        ("weight", params.weight_shape, ("C2D-MODULE-2", "C2D-MODULE-4", "C2D-SHAPE-4")),
        ("bias", params.bias_shape, ("C2D-MODULE-3", "C2D-SHAPE-5")),
    ):
        array = outcome.arrays.get(name)
        got = None if array is None else array.shape
        if got != expected:
            reason = f"the module's {name} has shape {got}; expected {expected}"
            evidence = Evidence((), str(expected), str(got), 1, 1, "the shape")
            yield Verdict(NAME, "module", Status.FAIL, clauses, reason, evidence=evidence)
        elif array is not None and array.dtype != dtype:
            reason = f"the module's {name} has dtype {array.dtype}; expected {dtype}"
            yield Verdict(NAME, "module", Status.FAIL, ("C2D-DTYPE-1",), reason)
        else:
            yield Verdict(NAME, "module", Status.PASS, ("C2D-MODULE-1", *clauses))


def _judge_initialisation(trial: Trial, outcome: Returned) -> Iterator[Verdict]:
    clauses = ("C2D-MODULE-5",)
    bound = init_bound(trial.case.params)
    for name in ("weight", "bias"):
        array = outcome.arrays.get(name)
        if array is None:
            continue
        wrong = _initialisation_error(array, bound, component_format(trial.case.dtype).unit_roundoff)
        status = Status.FAIL if wrong else Status.PASS
        yield Verdict(NAME, "module", status, clauses, f"the module's {name}: {wrong}" if wrong else "")


def _initialisation_error(array: Array, bound: float, unit_roundoff: float) -> str:
    """What about `array` no draw from U(−bound, bound) shows; empty if nothing."""
    parts = [array.real, array.imag] if array.dtype.kind == "c" else [array]
    for part in parts:
        values = part.astype(np.float64).reshape(-1) / bound
        count = values.size
        largest = float(np.abs(values).max())
        if not largest <= 1.0 + 2.0 * unit_roundoff:
            return f"|w| reaches {largest * bound:.6g}, above 1/√fan_in = {bound:.6g}"
        # values are discrete: 2^p of them within ±b, so a small sample may tie at a coarse dtype only
        if largest < FALSE_ALARM ** (1.0 / count) - 2.0 * unit_roundoff:
            return f"all {count} values stay below {largest:.3g}/√fan_in"
        log = math.log(2.0 / FALSE_ALARM)
        if abs(float(values.mean())) > math.sqrt(2.0 * log / count) + unit_roundoff:
            return f"the mean of {count} values is {values.mean() * bound:.3g}, not 0"
        if abs(float((values**2).mean()) - 1 / 3) > math.sqrt(log / (2.0 * count)) + 2.0 * unit_roundoff:
            return f"the mean square of {count} values is not that of a uniform distribution"
    return ""


ORACLE: Final = Oracle(NAME, judge, priority=Priority.MODULE, wraps_output=True)
