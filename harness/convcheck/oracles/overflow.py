"""Overflow: a sum whose every product is beyond the largest number is infinite, with the sign of its filter.

All pixels are one power of two and all weights another, so that any order of summation overflows, and whatever is not
infinite was clamped, saturated or wrapped. For profiles that sum products of the operands as they are: transforms
subtract infinities, and who truncates may stop at the largest number (IEEE 754, section 7.4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Call, Operation, Returned
from convcheck.model.levels import Level
from convcheck.model.profiles import Quantity
from convcheck.model.strides import repeated_axes
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.oracle import PRECISION, RESULT, Expectation, Oracle, Priority
from convcheck.oracles.special import NAME as SPECIAL
from convcheck.oracles.support.compare import compare_exact
from convcheck.oracles.support.exercised import exercised
from convcheck.oracles.support.own_call import BUDGET
from convcheck.oracles.support.trial import CallKey, Trial
from convcheck.oracles.support.wellformed import fault, misshapen
from convcheck.tensors.values import Values
from convcheck_reference.convolution import conv2d
from convcheck_reference.formats import DTYPES, component_format

Array = NDArray[Any]

NAME = "overflow"
CLAUSE = "C2D-SPECIAL-6"

_CALL: Final = "forward beyond the largest number"


def calls(trial: Trial) -> Mapping[str, Call]:
    """One forward call."""
    if not _applies(trial) or trial.case.multiply_adds > BUDGET:
        return {}
    return {_CALL: trial.call(Operation.FORWARD, _values(trial))}


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge the output: infinite wherever a window has a tap in the image, else the bias (clause C2D-SPECIAL-6)."""
    outcome = trial.outcome(NAME, _CALL)
    if not isinstance(outcome, Returned):
        return
    case, shape = trial.case, trial.case.output_shape
    clauses = (CLAUSE, *exercised(case))
    wrong = fault(outcome, "output", shape, case.dtype)
    if wrong:
        yield misshapen(NAME, "output", clauses, "the output of numbers that overflow", wrong, shape)
        return
    due = _due(trial)
    compared = compare_exact(np.asarray(outcome.arrays["output"]), due, np.ones(shape, np.bool_))
    if compared.status is Status.PASS:
        reason = "" if np.isinf(due).any() else "every tap lies in the padding"
        yield Verdict(NAME, "output", Status.VACUOUS if reason else Status.PASS, clauses, reason)
        return
    reason = "sums beyond the largest number are not infinite"
    yield Verdict(NAME, "output", compared.status, clauses, reason, evidence=compared.evidence)


def _applies(trial: Trial) -> bool:
    case, promised = trial.case, trial.capabilities.promised(trial.case, "output")
    as_they_are = promised.exact_integers and not promised.truncating
    return trial.capabilities.nonfinite and as_they_are and case.batch > 0 and not case.dtype.startswith("complex")


def _values(trial: Trial) -> Values:
    """Two powers of two whose product is twice the largest one that is finite; other filters in turn are negative."""
    case, fmt = trial.case, component_format(trial.case.dtype)
    dtype, of_x = DTYPES[case.dtype], (fmt.max_exponent + 1) // 2
    x = np.full(case.input_shape, 2.0**of_x, dtype)
    weight = np.full(case.params.weight_shape, 2.0 ** (fmt.max_exponent + 1 - of_x), dtype)
    bias, grad_output = case.params.bias_shape, np.ones(case.output_shape, dtype)
    return Values(
        x,
        (_signs(trial)[:, None, None, None] * weight).astype(dtype),
        None if bias is None else np.ones(bias, dtype),
        grad_output,
    )


def _signs(trial: Trial) -> Array:
    """Of each filter; all are positive where filters share their memory."""
    out_channels, layout = trial.case.params.out_channels, trial.case.layouts[1]
    alike = 0 in repeated_axes(layout, len(trial.case.params.weight_shape))
    return np.where(np.arange(out_channels) % 2, 1.0 if alike else -1.0, 1.0)


def _due(trial: Trial) -> Array:
    """±Inf where a window has a tap in the image, which a padding of zeros may leave without any."""
    params = trial.case.params
    taps = conv2d(np.ones(trial.case.input_shape), np.ones(params.weight_shape), None, params)
    bias = 0.0 if params.bias_shape is None else 1.0
    return np.where(taps > 0, _signs(trial)[:, None, None] * np.inf, bias)


def expectation(trial: Trial, _quantity: Quantity) -> Expectation:
    """What is due, value for value."""
    due = _due(trial)
    return Expectation(CallKey(NAME, _CALL), due, np.zeros(due.shape))


ORACLE: Final = Oracle(
    NAME,
    judge,
    calls,
    level=Level.IEEE,
    every=8,
    priority=Priority.OWN_CALLS,
    repeats_kinds=(RESULT, PRECISION, SPECIAL),
    expectation=expectation,
)
