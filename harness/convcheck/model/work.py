"""How much work a case is, and from when on it is too much for all that is asked of others."""

from __future__ import annotations

import math
from typing import Final

from convcheck.model.case import Case

LARGE: Final = 1 << 24
"""Multiply-adds beyond which a layer is judged in slices: above, the reference takes longer than the rest of a case."""

_HUGE_WORK: Final = 1 << 28
_HUGE_SIZE: Final = 1 << 22


def elements(case: Case) -> int:
    """Of input, weight and output of a legal case together."""
    return sum(map(math.prod, (case.input_shape, case.params.weight_shape, case.output_shape)))


def is_large(case: Case) -> bool:
    """Whether a case is judged in slices: a legal call of the function with more than `LARGE` multiply-adds."""
    return case.is_legal_call and case.params.multiply_adds(case.input_shape) > LARGE


def is_huge(case: Case) -> bool:
    """Whether a large case is judged on integers alone: its calls take tenths of a second each."""
    if not is_large(case):
        return False
    return case.params.multiply_adds(case.input_shape) > _HUGE_WORK or elements(case) > _HUGE_SIZE
