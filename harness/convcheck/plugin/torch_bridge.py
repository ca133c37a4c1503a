"""The bridge to torch: tensors on the memory of arrays, the way back, and gradients by autograd.

torch is imported by the first call, so a backend that needs none of it does not load it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.plugin.backend import DoubleGradients, Gradients
from convcheck_reference.formats import DTYPES


def preload_autograd() -> None:
    """Import what torch's autograd imports at its first call, if torch is imported.

    `torch.autograd.grad` imports a module with sympy behind it, some 500 modules, which takes most of a second: a fork
    of this process has them.
    """
    if "torch" in sys.modules:
        with suppress(ImportError):
            import_module("torch.fx.experimental.symbolic_shapes")


def to_torch(array: NDArray[Any]) -> Any:
    """A torch tensor on the memory of `array`, strides included; bfloat16 by reinterpretation.

    Args:
        array: of any dtype that torch has.

    Raises:
        ValueError: a stride is negative, which torch's tensors cannot have.
        TypeError: torch has no such dtype.
    """
    import torch  # noqa: PLC0415

    if array.dtype == DTYPES["bfloat16"]:  # NumPy has no such type of its own, so torch takes the bits
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def from_torch(tensor: Any) -> NDArray[Any]:
    """The array of a plain dense torch tensor; on its memory where that is the CPU's.

    Args:
        tensor: what a candidate returned.

    Raises:
        TypeError: it is something else.
    """
    import torch  # noqa: PLC0415

    if type(tensor) is not torch.Tensor:  # a subclass may compute what it holds when somebody looks
        raise TypeError(f"returned a {type(tensor).__name__}; expected a torch.Tensor")
    if tensor.dtype == torch.bfloat16:
        return np.asarray(tensor.detach().view(torch.int16).numpy(force=True).view(DTYPES["bfloat16"]))
    return np.asarray(tensor.numpy(force=True))


def differentiate(function: Callable[..., Any], tensors: tuple[Any, Any, Any], grad_output: Any) -> Gradients:
    """The gradients of a function of (x, weight, bias), by torch's autograd.

    Args:
        function: gives the output.
        tensors: x, weight, and bias or None.
        grad_output: shaped as the output.

    Raises:
        RuntimeError: the output does not depend on one of the tensors, or not in a way that autograd records.
    """
    import torch  # noqa: PLC0415

    inputs, output = _recorded(function, tensors)
    grad_input, grad_weight, *grad_bias = torch.autograd.grad(output, inputs, grad_output)
    return Gradients(grad_input, grad_weight, grad_bias[0] if grad_bias else None)


def differentiate_twice(
    function: Callable[..., Any], tensors: tuple[Any, Any, Any], grad_output: Any, grad_grads: tuple[Any, Any, Any]
) -> DoubleGradients:
    """The gradients of the gradients of a function of (x, weight, bias), by torch's autograd.

    Args:
        function: gives the output.
        tensors: x, weight, and bias or None.
        grad_output: shaped as the output.
        grad_grads: weights of the gradients, shaped as `tensors`; None where the bias is.

    Raises:
        RuntimeError: as `differentiate`; or the gradients cannot be differentiated again.
    """
    import torch  # noqa: PLC0415

    inputs, output = _recorded(function, tensors)
    outer = grad_output.detach().requires_grad_()
    gradients = torch.autograd.grad(output, inputs, outer, create_graph=True)
    weights = [t for t in grad_grads if t is not None]
    # on an empty batch nothing depends on x: its gradient is zero, not an error
    second = torch.autograd.grad(gradients, (outer, *inputs[:2]), weights, materialize_grads=True)
    return DoubleGradients(*second)


def _recorded(function: Callable[..., Any], tensors: tuple[Any, Any, Any]) -> tuple[list[Any], Any]:
    """The tensors as leaves of a graph of their own, and the output that the function gives on them."""
    leaves = [t if t is None else t.detach().requires_grad_() for t in tensors]
    return [leaf for leaf in leaves if leaf is not None], function(*leaves)
