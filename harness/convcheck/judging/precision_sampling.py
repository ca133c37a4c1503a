"""What a trial shows of the precision that a candidate computes in; see `convcheck.numerics.precision`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.profiles import Algorithm, Profile, Quantity
from convcheck.numerics.bounds import underflow
from convcheck.numerics.precision import COARSE, Ratios, ratios
from convcheck.numerics.toom_cook import suits_winograd
from convcheck.oracles.support.expected import Expected
from convcheck.oracles.support.trial import INTEGERS, REALS, Trial
from convcheck.tensors.values import Values
from convcheck_reference.formats import BFLOAT16, FLOAT16, component_format

Array = NDArray[np.float64]

QUANTITIES: Final[tuple[Quantity, ...]] = ("output", "grad_input", "grad_weight")
_REGIMES: Final = ("reals", "wide")
_LEAST_TERMS: Final = 4
_MOST_TERMS: Final = 4608
_MOST_ROUNDINGS: Final = 50_000
"""Of which the growth is still a float64."""
_FLUSHING: Final = Profile(flushes_subnormals=True)
_FOURIER: Final = Profile(algorithm=Algorithm.FFT)


def sample_precision(trial: Trial) -> Iterator[Ratios]:
    """The error ratios of each result of zero-mean data; nothing from other data, nor from sparse ones."""
    case = trial.case
    if case.regime not in _REGIMES or case.entry == "module" or case.violation is not None:
        return
    folds = case.params.padding_mode != "zeros" and any(map(any, case.params.padding))
    if case.dtype.startswith("complex") or case.nonzeros is not None or case.repeats:
        return
    squares = Expected(case, _squared(trial.reals))
    for quantity in QUANTITIES:
        got = trial.returned(REALS, quantity)
        # where the padding is folded back, gradients are rounded to the dtype more than once
        if got is None or got.size == 0 or (quantity == "grad_input" and folds):
            continue
        found = trial.expected_reals.sum(quantity)
        if not _LEAST_TERMS <= found.terms <= _MOST_TERMS:
            continue
        wide = got.astype(np.float64)
        with np.errstate(invalid="ignore"):
            error = np.abs(wide - found.value)
            values = ratios(error, wide, np.sqrt(squares.sum(quantity).value), case.dtype)
            beyond = _beyond(trial, quantity, error)
        tiled = suits_winograd(case.params)
        yield Ratios(case.dtype, quantity, found.terms, case.regime, tiled, values, beyond)


def coarser_than_transforms(trial: Trial, quantity: Quantity, profile: Profile) -> bool:
    """Whether the usual error of a result is larger than that of transforms in the profile's accumulator.

    It is measured on the integers, which are of zero mean, dense, and in every trial. A wrong constant shows in most
    elements; where only a few are wrong, they are wrong by more than any bound.
    """
    case, got = trial.case, trial.returned(INTEGERS, quantity)
    if got is None or got.size == 0 or case.dtype.startswith("complex"):
        return False
    wide = got.astype(np.float64)
    with np.errstate(invalid="ignore"):
        error = np.abs(wide - trial.expected_integers.sum(quantity).value)
    norm = np.sqrt(Expected(case, _squared(trial.integers)).sum(quantity).value)
    values = ratios(error, wide, norm, case.dtype)
    scale = component_format(case.dtype).unit_roundoff / profile.accumulator.unit_roundoff
    return len(values) > 0 and float(np.median(values)) * scale >= COARSE


def _beyond(trial: Trial, quantity: Quantity, error: Array) -> bool:
    """Whether an error is larger than any arithmetic makes it.

    With operands rounded by ε, and partial sums that grow by a rounding u each, a result of n products is at most
    (1 + ε)²·(1 + u)^(n+1)·S, and the right one at most S; bfloat16 by truncation is the coarsest of both, and float16
    loses most to underflow. Only errors of Fourier transforms do not follow S.
    """
    found = trial.expected_reals.sum(quantity)
    coarsest = 2.0 * BFLOAT16.unit_roundoff
    most = 1.0 + (1.0 + coarsest) ** min(found.terms + 3, _MOST_ROUNDINGS)
    lost = underflow(_FLUSHING, FLOAT16, found.terms, found.operands)
    beyond = np.isfinite(error) & ~(error <= most * found.gauge + lost)
    if not beyond.any():
        return False
    through_fft = trial.expected_reals.bound(quantity, _FOURIER)
    return through_fft is not None and bool((beyond & ~(error <= through_fft)).any())


def _squared(values: Values) -> Values:
    """The data squared, in float64: the same sums of them are the squared 2-norms of the products."""
    x, weight, grad = (a.astype(np.float64) ** 2 for a in (values.x, values.weight, values.grad_output))
    return Values(x, weight, None if values.bias is None else values.bias.astype(np.float64) ** 2, grad)
