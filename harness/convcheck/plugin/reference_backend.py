"""The reference formulation as a backend: NumPy sums in float64, rounded once to the dtype.

Subclass it where something differs from the reference in one respect.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import OPERANDS, Operand
from convcheck.model.capabilities import Capabilities
from convcheck.plugin.backend import Backend, DoubleGradients, Gradients
from convcheck_reference.convolution import (
    conv2d,
    conv2d_double_backward,
    conv2d_grad_bias,
    conv2d_grad_input,
    conv2d_grad_weight,
)
from convcheck_reference.errors import InputShapeError, ParameterTypeError
from convcheck_reference.formats import DTYPES
from convcheck_reference.initialisation import reset_parameters
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]


class ReferenceBackend(Backend):
    """`convcheck_reference.convolution`, for every dtype, layout and mode."""

    name = "reference"
    capabilities = Capabilities(
        dtypes=tuple(DTYPES), gradients=True, partial_gradients=True, double_backward=True, module=True
    )

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        """The output."""
        params = Conv2dParams.of(params.arguments)
        check_tensors(x, weight, bias, params)
        return conv2d(x, weight, bias, params, dtype=x.dtype)

    def conv2d_backward(
        self, grad_output: Array, x: Array, weight: Array, bias: Array | None, params: Conv2dParams
    ) -> Gradients:
        """The three gradients."""
        return Gradients(
            conv2d_grad_input(grad_output, weight, params, x.shape, dtype=x.dtype),
            conv2d_grad_weight(grad_output, x, params, dtype=x.dtype),
            None if bias is None else conv2d_grad_bias(grad_output, dtype=x.dtype),
        )

    def conv2d_partial_backward(
        self,
        wanted: tuple[Operand, ...],
        grad_output: Array,
        x: Array,
        weight: Array,
        bias: Array | None,
        params: Conv2dParams,
    ) -> Gradients:
        """Those of the three gradients that are wanted: whatever a subclass makes of these holds here as well."""
        found = zip(OPERANDS, self.conv2d_backward(grad_output, x, weight, bias, params), strict=True)
        return Gradients(*(gradient if operand in wanted else None for operand, gradient in found))

    def conv2d_double_backward(
        self,
        grad_grad_input: Array,
        grad_grad_weight: Array,
        grad_grad_bias: Array | None,
        grad_output: Array,
        x: Array,
        weight: Array,
        bias: Array | None,
        params: Conv2dParams,
    ) -> DoubleGradients:
        """The gradients of the gradients."""
        del bias  # no gradient depends on it
        return DoubleGradients(
            *conv2d_double_backward(
                grad_grad_input, grad_grad_weight, grad_grad_bias, grad_output, x, weight, params, dtype=x.dtype
            )
        )

    def make_module(self, **constructor_arguments: Any) -> ReferenceModule:
        """A layer with freshly drawn parameters, which calls this backend."""
        dtype = constructor_arguments.pop("dtype", "float32")
        return ReferenceModule(self, Conv2dParams(**constructor_arguments), dtype)

    def versions(self) -> dict[str, str]:
        """NumPy's version."""
        return {"numpy": np.__version__}


class ReferenceModule:
    """A Conv2d layer.

    Attributes:
        weight: (O, C/G, kh, kw).
        bias: (O,) or None.
    """

    weight: Array
    bias: Array | None

    def __init__(self, backend: ReferenceBackend, params: Conv2dParams, dtype: str) -> None:
        self._backend = backend
        self._params = params
        # whoever seeds NumPy's generator decides, as with torch's
        rng = np.random.default_rng(np.random.randint(2**31))  # noqa: NPY002
        self.weight, self.bias = reset_parameters(params, rng, DTYPES[dtype])

    def __call__(self, x: Array) -> Any:
        """The output."""
        return self._backend.conv2d(x, self.weight, self.bias, self._params)


def check_tensors(x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> None:
    """Whether the tensors fit the layer.

    Raises:
        InputError: they do not.
        ParameterTypeError: one is no array.
    """
    given: tuple[Any, ...] = (x, weight) if bias is None else (x, weight, bias)
    for name, tensor in zip(("x", "weight", "bias"), given, strict=False):
        if not isinstance(tensor, np.ndarray):
            raise ParameterTypeError(f"{name} is a {type(tensor).__name__}; expected an array")
    params.output_shape(x.shape)
    if weight.shape != params.weight_shape:
        raise InputShapeError(f"weight has shape {weight.shape}; expected {params.weight_shape}")
    if bias is not None and bias.shape != (params.out_channels,):
        raise InputShapeError(f"bias has shape {bias.shape}; expected {(params.out_channels,)}")
    for name, array in (("weight", weight), ("bias", bias)):
        if array is not None and array.dtype != x.dtype:
            raise InputShapeError(f"{name} has dtype {array.dtype}, x has {x.dtype}; expected the same")
