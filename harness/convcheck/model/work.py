"""How much work a case is, and from when on it is too much for all that is asked of others."""

from __future__ import annotations

import math
from typing import Final, Literal, TypeAlias

from convcheck.model.case import Case

ValueRegime: TypeAlias = Literal["integers", "reals"]
"""Integers whose sums are exact, and reals as the regime of the case has them."""

LARGE: Final = 1 << 24
"""Multiply-adds beyond which a layer is judged in slices: above, the reference takes longer than the rest of a case."""

MANY: Final = 1 << 15
"""Elements beyond which few layers are judged on reals: what both kinds of data show is an index or a sum of which most
elements have a part, and what each costs grows with them. Integers are always judged: what they show is told apart from
lost precision."""

_REALS: Final = 4
"""Of so many cases of many elements and usual values, one is judged on reals as well."""

_HUGE_WORK: Final = 1 << 28
_HUGE_SIZE: Final = 1 << 22


def elements(case: Case) -> int:
    """Of input, weight and output of a legal case together."""
    return sum(map(math.prod, (case.input_shape, case.params.weight_shape, case.output_shape)))


def is_large(case: Case) -> bool:
    """Whether a case is judged in slices: a legal call of the function with more than `LARGE` multiply-adds."""
    return case.is_legal_call and case.multiply_adds > LARGE


def is_huge(case: Case) -> bool:
    """Whether a large case is judged on integers alone: its calls take tenths of a second each."""
    if not is_large(case):
        return False
    return case.multiply_adds > _HUGE_WORK or elements(case) > _HUGE_SIZE


def regimes(case: Case) -> tuple[ValueRegime, ...]:
    """The data on which a legal call of the function is judged: integers, and mostly reals."""
    if is_huge(case):
        return ("integers",)
    seldom = elements(case) > MANY and case.regime == "reals" and case.seed % _REALS
    return ("integers",) if seldom else ("integers", "reals")
