"""Anti-vacuity: a case that could not have told right from wrong does not count as a pass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convcheck.case import Case
from convcheck.oracles.expected import Sum

_LEAST_SHARE = 0.5


def vacuous(found: Sum, quantity: str, case: Case) -> str:
    """Why this quantity could not tell right from wrong; empty if it could.

    At least half of the elements must have a non-zero gauge, and the values must not all be the same.
    Gradients of pixels that no window reads are zero by definition and do not count.
    """
    # a value other than zero has a gauge above zero; the gauge itself is asked only where many are zero
    live = found.value != 0
    if _share(live) < _LEAST_SHARE:
        live = found.gauge > 0
    share = _share(live)
    if quantity in ("output", "grad_bias") and share < _LEAST_SHARE:
        return f"only {share:.0%} of the elements sum anything: the rest lies in the padding or under zeros"
    if not share:
        return "every element is a sum of zeros"
    if not {"expanded", "broadcast"}.isdisjoint(case.layouts) or case.nonzeros is not None:
        return ""
    values = found.value[live]
    if values.size > 1 and (values == values[0]).all():
        return "the result is constant"
    return ""


def too_few_judged(judged: int, total: int) -> str:
    """Why too few elements could be compared; empty if at least half were."""
    share = judged / total
    if share >= _LEAST_SHARE:
        return ""
    return f"only {share:.0%} of the elements are exact, or free of overflow, under the declared profile"


def _share(mask: NDArray[np.bool_]) -> float:
    return int(np.count_nonzero(mask)) / mask.size
