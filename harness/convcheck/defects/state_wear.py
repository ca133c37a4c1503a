"""State: what takes many calls to go wrong."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.defects.model import Category, Defect, DefectBackend
from convcheck.model.rules import Rule
from convcheck.plugin.backend import Gradients
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]


class _FewPlans(DefectBackend):
    """A table of plans that drops the oldest, and gives its place away while somebody still reads it.

    Args:
        room: plans that it holds.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._plans: dict[Hashable, None] = {}

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        right = super().conv2d(x, weight, bias, params)
        key = (x.shape, weight.shape, params, x.dtype)
        if key not in self._plans:
            self._plans[key] = None
            if len(self._plans) > self._room:
                del self._plans[next(iter(self._plans))]
                return np.roll(right, 1, -1) * right.dtype.type(2)
        return right


class _Worn(DefectBackend):
    """Counts calls, and is wrong in some, by their number.

    Args:
        wrong: which calls.
        backward: whether backward passes are counted and wrong, rather than forward passes.
        raises: whether such a call raises.
    """

    def __init__(self, wrong: Callable[[int], bool], *, backward: bool = False, raises: bool = False) -> None:
        self._wrong = wrong
        self._backward = backward
        self._raises = raises
        self._calls = 0

    def _goes_wrong(self) -> bool:
        self._calls += 1
        found = self._wrong(self._calls)
        if found and self._raises:
            raise MemoryError("no workspace is left")
        return found

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        right = super().conv2d(x, weight, bias, params)
        return right * right.dtype.type(2) if not self._backward and self._goes_wrong() else right

    def conv2d_backward(
        self, grad_output: Array, x: Array, weight: Array, bias: Array | None, params: Conv2dParams
    ) -> Gradients:
        right = super().conv2d_backward(grad_output, x, weight, bias, params)
        return right._replace(weight=right.weight * 2) if self._backward and self._goes_wrong() else right


def _scattered(number: int) -> bool:
    """One call in 700 or so, at no fixed distance."""
    return (number * 2654435761 % 2**32) / 2**32 < 1 / 700


def _row(name: str, summary: str, build: Callable[[], DefectBackend]) -> Defect:
    return Defect(name, Category.STATE, summary, Rule(""), build)


DEFECTS: Final[tuple[Defect, ...]] = (
    _row("table-of-few-plans", "a plan that is overwritten while it is made, once the table is full",
         lambda: _FewPlans(48)),
    _row("arena-wraps-around", "outputs of twice their size whenever a ring of slots begins anew",
         lambda: _Worn(lambda n: n % 1024 == 0)),
    _row("wrong-after-thousands", "outputs of twice their size after some thousand calls",
         lambda: _Worn(lambda n: n >= 2500)),
    _row("worn-gradients", "weight gradients of twice their size after some hundred backward passes",
         lambda: _Worn(lambda n: n > 300, backward=True)),
    _row("workspaces-run-out", "no workspace left after more than a thousand calls",
         lambda: _Worn(lambda n: n > 1500, raises=True)),
    _row("one-call-in-hundreds", "outputs of twice their size in a few of several hundred calls",
         lambda: _Worn(_scattered)),
)  # fmt: skip
"""The defects of state that depend on many calls."""
