"""Two backward passes whose results are put together, on exact integers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Call, Mode
from convcheck.model.profiles import GRADIENTS, Quantity
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.support.compare import Comparison, compare_exact
from convcheck.oracles.support.own_call import Asked, integer_call, judge_own
from convcheck.oracles.support.trial import Trial
from convcheck_reference.formats import component_format

QUANTITY: Final = "gradients"
"""Of the verdicts: what goes wrong from pass to pass does so in all gradients, and is one failure."""

_CALL: Final = "two passes"


def two_passes(trial: Trial, mode: Mode) -> Mapping[str, Call]:
    """One call whose results are put together of two passes, where autograd records the backend's functions."""
    whole = integer_call(trial, "grad_input") if trial.capabilities.autograd else None
    return {} if whole is None else {_CALL: replace(whole, mode=mode)}


def judge_two_passes(trial: Trial, oracle: str, clause: str, how: str, times: float = -1.0) -> Iterator[Verdict]:
    """Judge what two passes come to, which is so many times the gradient of the case.

    The sum of two the second of which has −2 times the grad_output of the first is −1 times one, their difference
    where the second has −1 times the operands of the first is 2 times one. Of exact sums of integers, which are rounded
    to the dtype once, −2 times the sums are rounded to −2 times the result r, and −1 times them to −r; r and −2·r add
    up to −r exactly, and r less −r is 2·r, unless that overflows.
    """
    for quantity in GRADIENTS if trial.case.params.bias else GRADIENTS[:-1]:
        profile = trial.capabilities.promised(trial.case, quantity)
        if not profile.exact_integers or not trial.expected_integers.is_direct(quantity, profile):
            reason = f"integers are not exact under profile {profile.name}"
            yield Verdict(oracle, QUANTITY, Status.NOT_APPLICABLE, (clause,), reason)
            continue
        asked = Asked(oracle, clause, f"{quantity} {how}")
        verdict = judge_own(trial, _CALL, quantity, asked, partial(_compared, trial, quantity, times))
        if verdict is not None:
            yield replace(verdict, quantity=QUANTITY)


def _compared(trial: Trial, quantity: Quantity, times: float, got: NDArray[Any]) -> Comparison:
    expected, profile = trial.expected_integers, trial.capabilities.promised(trial.case, quantity)
    found = expected.sum(quantity)
    doubled = 2.0 * found.gauge <= component_format(trial.case.dtype).largest
    return compare_exact(got, times * found.value, expected.exact(quantity, profile) & np.asarray(doubled), quantity)
