"""A defect: one way in which a convolution is wrong, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.defects.deviations import Deviation
from convcheck.defects.problem import compute, problem
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.profiles import Quantity
from convcheck.model.rules import Rule, facts
from convcheck.plugin.backend import Backend, Gradients
from convcheck.plugin.reference_backend import ReferenceBackend, check_tensors
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]


class Category(StrEnum):
    """What a defect gets wrong."""

    INDEXING = "indexing"
    PADDING = "padding"
    DILATION = "dilation"
    STRIDE = "stride"
    GROUPS = "groups"
    BIAS = "bias"
    TILES = "tile remainders"
    SIZES = "sizes"
    PRECISION = "precision"
    SPECIAL = "special values"
    CONTRACT = "contract"
    LAYOUT = "layout"
    STATE = "state"
    GRADIENTS = "gradients"
    CONJUNCTIONS = "conjunctions"
    CHEATS = "cheats"


@dataclass(frozen=True, slots=True)
class Defect:
    """A wrong convolution.

    Attributes:
        name: unique, of lower-case words and hyphens.
        category: what it gets wrong.
        summary: completes the sentence "behaves like …".
        region: which legal cases can show it: outside, it equals the reference. "False" for a defect
            that shows on illegal cases only.
        build: makes a backend.
        fatal: whether it ends or blocks the process it runs in.
    """

    name: str
    category: Category
    summary: str
    region: Rule
    build: Callable[[], Backend] = field(repr=False)
    fatal: bool = False

    def backend(self) -> Backend:
        """A fresh backend with this defect: it remembers nothing of another's calls."""
        backend = self.build()
        backend.name = self.name
        return backend

    def __reduce__(self) -> tuple[Any, ...]:
        """A defect crosses to other processes as its name in the library."""
        from convcheck.defects import defect  # noqa: PLC0415  (the library is made of this module)

        return defect, (self.name,)


class DefectBackend(ReferenceBackend):
    """The reference for the real dtypes: what defects are made of."""

    name = "defect"
    capabilities = Capabilities(
        dtypes=("float32", "float64", "float16", "bfloat16"), gradients=True, partial_gradients=True, module=True
    )


class DeviatingBackend(DefectBackend):
    """The reference, deviating in the cases of a region.

    Args:
        guard: which calls deviate, from their arguments, shapes and dtype; the rest of a case's facts
            are not known to a kernel.
        deviation: how.
    """

    def __init__(self, guard: Rule, deviation: Deviation) -> None:
        self._guard = guard
        self._compute = deviation(compute)

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        """The output."""
        params = Conv2dParams.of(params.arguments)
        check_tensors(x, weight, bias, params)
        if not self._deviates(x, params):
            return super().conv2d(x, weight, bias, params)
        output = self._compute(problem(x, weight, bias, params), "output")
        return output.reshape(params.output_shape(x.shape)).astype(x.dtype)

    def conv2d_backward(
        self, grad_output: Array, x: Array, weight: Array, bias: Array | None, params: Conv2dParams
    ) -> Gradients:
        """The three gradients."""
        if not self._deviates(x, params):
            return super().conv2d_backward(grad_output, x, weight, bias, params)
        posed = problem(x, weight, bias, params, grad_output)

        def gradient(quantity: Quantity, shape: tuple[int, ...]) -> Array:
            return np.asarray(self._compute(posed, quantity).reshape(shape).astype(x.dtype))

        return Gradients(
            gradient("grad_input", x.shape),
            gradient("grad_weight", weight.shape),
            None if bias is None else gradient("grad_bias", bias.shape),
        )

    def _deviates(self, x: Array, params: Conv2dParams) -> bool:
        return self._guard.holds(facts(Case(params.arguments, x.shape, x.dtype.name)))


def deviating(category: Category, name: str, summary: str, guard: str, deviation: Deviation, data: str = "") -> Defect:
    """A defect that deviates wherever `guard` holds.

    Args:
        category: of the defect.
        name: of the defect.
        summary: of the defect.
        guard: over arguments, shapes and dtype.
        deviation: what it does there.
        data: what else of a case has to hold before the deviation shows: its values and layouts.
    """
    region = Rule(" and ".join(f"({part})" for part in (guard, data) if part))
    return Defect(name, category, summary, region, lambda: DeviatingBackend(Rule(guard), deviation))
