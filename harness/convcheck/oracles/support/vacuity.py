"""Anti-vacuity: a case that could not have told right from wrong does not count as a pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.model.case import Case
from convcheck.oracles.support.sums import Sum
from convcheck_reference.patches import im2col

_LEAST_SHARE = 0.5
_MANY = 8
_FIRST = 16
"""Elements among which three values are looked for before all of them are."""


def vacuous(found: Sum, quantity: str, case: Case) -> str:
    """Why this quantity could not tell right from wrong; empty if it could.

    At least half of the elements must have a non-zero gauge, and the values must take three different
    values (two where there are fewer than eight). Gradients of pixels that no window reads are zero by
    definition and do not count.
    """
    # a value other than zero has a gauge above zero; the gauge itself is asked only where many are zero
    live = found.value != 0
    share = _share(live)
    if share < _LEAST_SHARE:
        live = found.gauge > 0
        share = _share(live)
    if quantity in ("output", "grad_bias") and share < _LEAST_SHARE:
        return f"only {share:.0%} of the elements sum anything: the rest lies in the padding or under zeros"
    if not share:
        return "every element is a sum of zeros"
    if case.repeats or case.nonzeros is not None:
        return ""
    # three values, zero among them perhaps, are found at once nearly everywhere
    return "" if len(set(found.value.reshape(-1)[: _FIRST + 1].tolist())) > 3 else _uniform(found.value[live])


def _uniform(values: NDArray[Any]) -> str:
    """Why so few different values tell nothing; empty if they are enough."""
    if len(set(values[:_FIRST].tolist())) > 2:
        return ""
    if values.size > 1 and (values == values[0]).all():
        return "the result is constant"
    if values.size >= _MANY and ((values == values.min()) | (values == values.max())).all():
        return "the result takes two values only"
    return ""


def blind_taps(x: NDArray[Any], case: Case) -> str:
    """Why sparse data hide most taps of the kernel; empty if they do not.

    A tap is hidden if it reads pixels of the image, but zeros only: then no output depends on its weight.
    """
    if case.nonzeros is not None or _share(x != 0) >= _LEAST_SHARE:
        return ""
    readable, live = (
        im2col(mask.astype(np.float32), case.params).any(axis=(0, 3)) for mask in (np.ones(x.shape), x != 0)
    )
    share = int(np.count_nonzero(live)) / max(1, int(np.count_nonzero(readable)))
    return "" if share >= _LEAST_SHARE else f"only {share:.0%} of the kernel's taps read a non-zero pixel"


def too_few_judged(judged: int, total: int) -> str:
    """Why too few elements could be compared; empty if at least half were."""
    share = judged / total
    if share >= _LEAST_SHARE:
        return ""
    return f"only {share:.0%} of the elements are exact, or free of overflow, under the declared profile"


def _share(mask: NDArray[np.bool_]) -> float:
    return int(np.count_nonzero(mask)) / mask.size
