"""What a trial shows of the precision that a candidate computes in; see `convcheck.numerics.precision`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from convcheck.model.profiles import Quantity
from convcheck.numerics.precision import Ratios, ratios
from convcheck.numerics.toom_cook import suits_winograd
from convcheck.oracles.support.expected import Expected
from convcheck.oracles.support.trial import REALS, Trial
from convcheck.tensors.values import Values

QUANTITIES: Final[tuple[Quantity, ...]] = ("output", "grad_input", "grad_weight")
_REGIMES: Final = ("reals", "wide")
_LEAST_TERMS: Final = 4
_MOST_TERMS: Final = 4608


def sample_precision(trial: Trial) -> Iterator[Ratios]:
    """The error ratios of each result of zero-mean data; nothing from other data, nor from sparse ones."""
    case = trial.case
    if case.regime not in _REGIMES or case.entry == "module" or case.violation is not None:
        return
    folds = case.params.padding_mode != "zeros" and any(map(any, case.params.padding))
    if case.dtype.startswith("complex") or case.nonzeros is not None or case.repeats:
        return
    squares = Expected(case, _squared(trial))
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
            values = ratios(np.abs(wide - found.value), wide, np.sqrt(squares.sum(quantity).value), case.dtype)
        yield Ratios(case.dtype, quantity, found.terms, case.regime, suits_winograd(case.params), values)


def _squared(trial: Trial) -> Values:
    """The data squared, in float64: the same sums of them are the squared 2-norms of the products."""
    values = trial.reals
    x, weight, grad = (a.astype(np.float64) ** 2 for a in (values.x, values.weight, values.grad_output))
    return Values(x, weight, None if values.bias is None else values.bias.astype(np.float64) ** 2, grad)
