"""A defect on top of an engine's numerics: what is wrong is the defect's, all else is as the engine computes it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.plugin.backend import Backend, Gradients
from convcheck.plugin.reference_backend import ReferenceBackend
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]


class OnTop(Backend):
    """Results of a defect; elements in which it is the reference to the bit are the engine's.

    Args:
        defect: made of the reference.
        engine: a legal variant, whose dtypes and promises are declared.
    """

    def __init__(self, defect: Backend, engine: Backend) -> None:
        self._defect, self._engine, self._reference = defect, engine, ReferenceBackend()
        dtypes = tuple(dtype for dtype in engine.capabilities.dtypes if dtype in defect.capabilities.dtypes)
        self.capabilities = replace(defect.capabilities, dtypes=dtypes, profiles=engine.capabilities.profiles)
        self.name = defect.name

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        """The output."""
        got = self._defect.conv2d(x, weight, bias, params)
        try:
            right = self._reference.conv2d(x, weight, bias, params), self._engine.conv2d(x, weight, bias, params)
        except ConvcheckError:  # what is illegal the defect may take
            return got
        return _joined(got, *right)

    def conv2d_backward(
        self, grad_output: Array, x: Array, weight: Array, bias: Array | None, params: Conv2dParams
    ) -> Gradients:
        """The gradients."""
        got = self._defect.conv2d_backward(grad_output, x, weight, bias, params)
        right = self._reference.conv2d_backward(grad_output, x, weight, bias, params)
        engine = self._engine.conv2d_backward(grad_output, x, weight, bias, params)
        return Gradients(*map(_joined, got, right, engine))

    def make_module(self, **constructor_arguments: Any) -> Any:
        """The defect's layer."""
        return self._defect.make_module(**constructor_arguments)

    def to_native(self, array: Array) -> Any:
        """The defect's tensor."""
        return self._defect.to_native(array)

    def to_numpy(self, native: Any) -> Array:
        """The array of the defect's tensor."""
        return self._defect.to_numpy(native)


def _joined(got: Any, right: Any, engine: Any) -> Any:
    """The defect's result, with the engine's elements where it is right."""
    if not all(isinstance(array, np.ndarray) for array in (got, right, engine)):
        return got
    if (got.shape, got.dtype) != (right.shape, right.dtype) or not got.size:
        return got
    same = (got == right) | (np.isnan(got) & np.isnan(right))
    if same.any() and got.flags.writeable:
        got[same] = engine[same]  # in place: whose memory it is, and how it lies, belongs to the defect
    return got
