"""The order of cases: those that tell apart the most defects of the library come first.

A case tells two implementations apart if it lies in the region of one of them and not of the other; the
right implementation, which has no region, is one of them. This decides when a case is tried and never which
cases there are, so nothing is tuned to the library.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from convcheck.defects import DEFECTS, Defect
from convcheck.model.case import Case
from convcheck.model.rules import facts


def prioritized(cases: Sequence[Case], defects: Sequence[Defect] = DEFECTS) -> tuple[int, ...]:
    """Their places in order: the most telling case first, then the one that tells apart the most of what is left.

    Cases that tell nothing apart any more, illegal ones among them, follow in the order in which they came.

    Args:
        cases: to put in order.
        defects: of the library.
    """
    inside = _inside(cases, defects)
    order: list[int] = []
    # which implementations the cases so far do not tell apart; the right one is the last column
    classes = np.zeros(inside.shape[1], np.intp)
    while len(order) < len(cases):
        told = _pairs_told_apart(inside, classes)
        best = int(told.argmax())
        if not told[best]:
            break
        order.append(best)
        _, classes = np.unique(classes * 2 + inside[best], return_inverse=True)
    rest = sorted(set(range(len(cases))) - set(order))
    return (*order, *rest)


def _inside(cases: Sequence[Case], defects: Sequence[Defect]) -> NDArray[np.bool_]:
    """Which cases lie in which regions: (cases, defects + 1)."""
    inside = np.zeros((len(cases), len(defects) + 1), np.bool_)
    for row, case in zip(inside, cases, strict=True):
        if case.violation is None:
            known = facts(case)
            row[:-1] = [defect.region.holds(known) for defect in defects]
    return inside


def _pairs_told_apart(inside: NDArray[np.bool_], classes: NDArray[np.intp]) -> NDArray[np.float64]:
    """For each case, how many pairs of the same class it tells apart."""
    members = (classes[:, None] == np.arange(classes.max() + 1)).astype(np.float64)
    within = inside.astype(np.float64) @ members
    return np.asarray((within * (members.sum(axis=0) - within)).sum(axis=1))
