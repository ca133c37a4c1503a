"""Anti-vacuity: a case that could not have told right from wrong does not count as a pass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convcheck.case import Case
from convcheck.oracles.expected import Sum

_LEAST_SHARE = 0.5
_LEAST_VALUES = 3


def vacuous(found: Sum, quantity: str, case: Case) -> str:
    """Why this quantity could not tell right from wrong; empty if it could.

    At least half of the elements must have a non-zero gauge, and the values must take three different
    values where there are as many elements that may differ. Gradients of pixels that no window reads are
    zero by definition and do not count.
    """
    live = found.gauge > 0
    share = float(live.mean()) if live.size else 0.0
    if quantity in ("output", "grad_bias") and share < _LEAST_SHARE:
        return f"only {share:.0%} of the elements sum anything: the rest lies in the padding or under zeros"
    if not live.any():
        return "every element is a sum of zeros"
    if "expanded" in case.layouts or case.nonzeros is not None:
        return ""
    different = min(_LEAST_VALUES, int(live.sum()))
    if len(np.unique(found.value[live])) < min(different, 2):
        return "the result is constant"
    return ""


def too_few_judged(judged: NDArray[np.bool_]) -> str:
    """Why too few elements could be compared; empty if at least half were."""
    share = float(judged.mean())
    if share >= _LEAST_SHARE:
        return ""
    return f"only {share:.0%} of the elements are exact, or free of overflow, under the declared profile"
