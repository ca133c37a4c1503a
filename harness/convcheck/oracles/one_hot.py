"""One-hot taps: a filter with a single 1 copies what lies under that tap, whatever float it is.

The output is the input moved by the tap, value for value, subnormals included; a wrong tap, pixel or channel
shows as a copy of something else, and the verdict says of what. For profiles that sum products of the
operands as they are: the others round the input first, or transform it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Call, Operation, Returned
from convcheck.model.case import Case
from convcheck.model.levels import Level
from convcheck.model.profiles import Profile, Quantity
from convcheck.model.strides import repeated_axes
from convcheck.model.verdicts import Status, Verdict
from convcheck.numerics.limits import rounded_to
from convcheck.oracles.oracle import PRECISION, RESULT, Expectation, Oracle, Priority
from convcheck.oracles.support.compare import compare_exact
from convcheck.oracles.support.error_level import MOST_LOST
from convcheck.oracles.support.exercised import exercised
from convcheck.oracles.support.trial import CallKey, Trial
from convcheck.oracles.support.wellformed import fault, misshapen
from convcheck.tensors.layouts import conformed
from convcheck.tensors.values import Values, real_values
from convcheck_reference.formats import Format, component_format
from convcheck_reference.patches import im2col

Array = NDArray[Any]

NAME = "one-hot"
CLAUSE = "C2D-ARITH-1"
BUDGET: Final = 300_000
"""Multiply-adds up to which a case is asked."""

_STEP: Final = 7
"""Taps between one filter and the next: most kernels have no multiple of it."""


def calls(trial: Trial) -> Mapping[str, Call]:
    """One forward call on floats of all magnitudes, each filter a single 1, the bias zero."""
    case = trial.case
    if not _applies(trial) or case.multiply_adds > BUDGET:
        return {}
    return {_name(trial): trial.call(Operation.FORWARD, _values(trial))}


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge the output, value for value (clause C2D-ARITH-1 and whatever the case exercises)."""
    outcome = trial.outcome(NAME, _name(trial))
    if not isinstance(outcome, Returned):
        return
    case, shape = trial.case, trial.case.output_shape
    clauses = (*exercised(case), CLAUSE)
    wrong = fault(outcome, "output", shape, case.dtype)
    if wrong:
        yield misshapen(NAME, "output", clauses, "the output for one-hot filters", wrong, shape)
        return
    got, columns, taps = np.asarray(outcome.arrays["output"]), _columns(trial), _taps(trial)
    copied = _copied(trial, columns)
    compared = compare_exact(got, copied, np.ones(shape, np.bool_))
    if compared.status is Status.PASS:
        reason = "" if copied.any() else "every tap lies in the padding"
        yield Verdict(NAME, "output", Status.VACUOUS if reason else Status.PASS, clauses, reason)
        return
    images = got.reshape(len(columns), len(taps), -1)
    channel = next(o for o in range(len(taps)) if not (images[:, o] == columns[:, _group(trial, o), taps[o]]).all())
    reason = f"filter {channel} is 1 at {_tap(trial, _group(trial, channel), taps[channel])} only, but the output "
    reason += _instead(trial, images[:, channel], columns)
    level = _level(got.astype(copied.dtype), copied, component_format(case.dtype).smallest_normal)
    yield Verdict(NAME, "output", compared.status, clauses, reason, evidence=compared.evidence, level=level)


def expectation(trial: Trial, _quantity: Quantity) -> Expectation:
    """What lies under the tap of each filter, value for value."""
    copied = _copied(trial, _columns(trial))
    return Expectation(CallKey(NAME, _name(trial)), copied, np.zeros(copied.shape))


def _name(trial: Trial) -> str:
    """Of the call: under another profile its data may be others, and there is no such call."""
    profile = trial.capabilities.promised(trial.case, "output")
    return f"forward on {profile.accumulator.name}{' without subnormals' if profile.flushes_subnormals else ''}"


def _applies(trial: Trial) -> bool:
    """Products with 1 are exact, but for complex ones, which may be formed from sums of parts."""
    case, profile = trial.case, trial.capabilities.promised(trial.case, "output")
    as_they_are = profile.exact_integers and not profile.input_rounding and profile.input_precision is None
    one_hot_fits = set(_repeated(case)) <= {0}
    return as_they_are and one_hot_fits and case.batch > 0 and not case.dtype.startswith("complex")


def _values(trial: Trial) -> Values:
    """Wide and subnormal numbers in turn along the rows, and a one-hot weight; no bias adds to them."""
    case = trial.case
    wide, tiny = (real_values(replace(case, regime=regime, nonzeros=None)) for regime in ("wide", "subnormal"))
    x = np.where(np.arange(case.input_shape[-1]) % 2, tiny.x, wide.x)
    x = _held(x, trial.capabilities.promised(case, "output"), component_format(case.dtype))
    weight = np.zeros((case.params.out_channels, case.params.fan_in), x.dtype)
    weight[np.arange(len(weight)), _taps(trial)] = 1
    return Values(
        np.ascontiguousarray(conformed(x, case.layouts[0])),
        weight.reshape(case.params.weight_shape),
        None if wide.bias is None else np.zeros_like(wide.bias),
        wide.grad_output,
    )


def _held(x: Array, profile: Profile, result: Format) -> Array:
    """The numbers as the promised accumulator holds them, 1 in place of those that it may lose."""
    narrow = rounded_to(x, profile.accumulator)
    smallest = max(result.smallest_normal, profile.accumulator.smallest_normal) if profile.flushes_subnormals else 0.0
    kept = np.isfinite(narrow) & (np.abs(narrow) >= smallest)
    return np.where(kept, narrow, 1.0).astype(x.dtype)


def _taps(trial: Trial) -> list[int]:
    """Which of the fan_in taps each filter has: others in other filters, unless they share their memory."""
    params = trial.case.params
    step = 0 if _repeated(trial.case) else _STEP
    return [(trial.case.seed + step * o) % params.fan_in for o in range(params.out_channels)]


def _repeated(case: Case) -> tuple[int, ...]:
    """The axes along which the weight is the same: filters may be, taps of one filter may not."""
    return repeated_axes(case.layouts[1], len(case.params.weight_shape))


def _columns(trial: Trial) -> Array:
    """What lies under every tap: (N, G, fan_in, pixels)."""
    return im2col(_values(trial).x.astype(np.float64), trial.case.params)


def _copied(trial: Trial, columns: Array) -> Array:
    """The output: of each filter what lies under its tap."""
    copies = [columns[:, _group(trial, o), tap] for o, tap in enumerate(_taps(trial))]
    return np.stack(copies, axis=1).reshape(trial.case.output_shape)


def _group(trial: Trial, out_channel: int) -> int:
    return out_channel // (trial.case.params.out_channels // trial.case.params.groups)


def _instead(trial: Trial, got: Array, columns: Array) -> str:
    """What the output of a filter is a copy of, in words."""
    same = (columns == got[:, None, None]).all(axis=(0, 3))
    if not same.any():
        return "is a copy of nothing under another tap"
    group, tap = (int(i) for i in np.argwhere(same)[0])
    return f"is what lies under {_tap(trial, group, tap)}"


def _level(got: Array, copied: Array, smallest_normal: float) -> Level:
    """Half of the numbers are subnormal, whose loss is no matter of taps; nor is that of digits."""
    normal = np.abs(copied) >= smallest_normal
    if (got == copied)[normal].all():
        return Level.IEEE
    with np.errstate(invalid="ignore"):
        lost = np.abs(got - copied) <= MOST_LOST * np.abs(copied)
    return Level.PRECISION if lost[normal].all() else Level.COMPUTES


def _tap(trial: Trial, group: int, tap: int) -> str:
    params = trial.case.params
    within, row, column = (int(i) for i in np.unravel_index(tap, params.weight_shape[1:]))
    return f"tap ({row}, {column}) of input channel {group * params.weight_shape[1] + within}"


ORACLE: Final = Oracle(
    NAME,
    judge,
    calls,
    every=10,
    priority=Priority.OWN_CALLS,
    repeats_kinds=(RESULT, PRECISION),
    expectation=expectation,
)
