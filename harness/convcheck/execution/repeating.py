"""The same call made many times where the candidate is: only answers with other bits than the first's come back.

What goes wrong now and then needs many calls to show, and the way to another process takes longer than a small layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Raised, Returned

Arrays: TypeAlias = Mapping[str, NDArray[Any] | None]


def repeated(first: Returned, make: Callable[[], Arrays | Raised], times: int) -> Returned | Raised:
    """The first answer, with how many of those that follow have other bits, and the first of these.

    Args:
        first: what the call returned.
        make: makes it again: its results, which the candidate may write to again, or what it raised.
        times: how often it is made, the first included.
    """
    expected = {name: None if array is None else _bits(array) for name, array in first.arrays.items()}
    others, number, other = 0, 0, dict[str, NDArray[Any] | None]()
    for at in range(2, times + 1):
        found = make()
        if isinstance(found, Raised):
            return replace(found, message=f"{found.message} (in call {at} of {times} with the same tensors)")
        if any(_bits(array) != expected.get(name) for name, array in found.items() if array is not None):
            others += 1
            if others == 1:
                number = at
                other = {name: None if array is None else np.array(array, order="C") for name, array in found.items()}
    return replace(first, others=others, first_other=number, other=other)


def _bits(array: NDArray[Any]) -> tuple[object, ...]:
    return array.dtype, array.shape, array.tobytes()
