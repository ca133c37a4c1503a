"""A call as a backend gets it: which of its methods is called, with what, and the names of the results."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Mapping
from typing import Any, Final

from numpy import random as numpy_random  # once, before workers are forked: NumPy imports it when it is used

from convcheck.model.calls import OPERANDS, Call, Mode, Operation
from convcheck.plugin.backend import Backend, Gradients
from convcheck.plugin.module_updates import updated
from convcheck.plugin.torch_bridge import differentiate
from convcheck.plugin.torch_modes import gradients_of_module, in_mode
from convcheck_reference.params import Conv2dParams

_RESULTS: Final = {
    Operation.FORWARD: ("output",),
    Operation.BACKWARD: ("grad_input", "grad_weight", "grad_bias"),
    Operation.DOUBLE_BACKWARD: ("grad_grad_output", "grad_input", "grad_weight"),
    Operation.MODULE: ("weight", "bias", "output"),
    Operation.MODULE_UPDATED: ("weight", "bias", "output"),
    Operation.MODULE_BACKWARD: ("weight", "bias", "grad_input", "grad_weight", "grad_bias"),
}
_OF_MODULES: Final = (Operation.MODULE, Operation.MODULE_UPDATED, Operation.MODULE_BACKWARD)
_RESULTS_OF_TRANSFORMS: Final = {
    Mode.VMAP: ("output", "negated"),
    Mode.JVP: ("output", "tangent"),
    Mode.OUT: ("output", "spaced", "between"),
}


def names_of_results(call: Call) -> tuple[str, ...]:
    """The names of the results of a call, in the order in which they come back."""
    return _RESULTS_OF_TRANSFORMS.get(call.mode, _RESULTS[call.operation])


def results_of(backend: Backend, call: Call, params: Conv2dParams, native: Mapping[str, Any]) -> tuple[Any, ...]:
    """The backend's results in the order of their names; whatever it raises is raised.

    Args:
        backend: it is called.
        call: which of its methods.
        params: the layer.
        native: what it gets for each tensor, by name.
    """
    if call.operation in _OF_MODULES:
        return _of_module(backend, call, params, native)
    x, weight, bias = native["x"], native["weight"], native.get("bias")
    if call.mode is not Mode.USUAL:
        with backend.recorded(params) as function:
            return in_mode(call.mode, function, native)
    if call.operation is Operation.FORWARD:
        return (backend.conv2d(x, weight, bias, params),)
    if call.operation is Operation.DOUBLE_BACKWARD:
        outer = (native["grad_grad_input"], native["grad_grad_weight"], native.get("grad_grad_bias"))
        return tuple(backend.conv2d_double_backward(*outer, native["grad_output"], x, weight, bias, params))
    if call.wanted == OPERANDS:
        return tuple(backend.conv2d_backward(native["grad_output"], x, weight, bias, params))
    return tuple(_some_gradients(backend, call, params, native))


def _of_module(backend: Backend, call: Call, params: Conv2dParams, native: Mapping[str, Any]) -> tuple[Any, ...]:
    """The parameters of a new layer, and its output or its gradients; the parameters that its output is of."""
    spelled = {name: getattr(call.arguments, name) for name in call.arguments.__slots__}
    _seed(repr(call.arguments))
    module = backend.make_module(**spelled, dtype=call.dtype)
    if call.operation is Operation.MODULE:
        return module.weight, module.bias, module(native["x"])
    if call.operation is Operation.MODULE_UPDATED:
        return updated(call.mode, module, native["x"])
    with backend.recorded(params):  # the layer has no need of it, but of what the backend sets meanwhile
        found = gradients_of_module(module, native["x"], native["grad_output"], call.wanted)
    return module.weight, module.bias, *found


def _some_gradients(backend: Backend, call: Call, params: Conv2dParams, native: Mapping[str, Any]) -> Gradients:
    """By autograd where it records the backend's functions, else by the backend itself."""
    tensors, grad_output = (native["x"], native["weight"], native.get("bias")), native["grad_output"]
    if not backend.capabilities.autograd:
        return backend.conv2d_partial_backward(call.wanted, grad_output, *tensors, params)
    with backend.recorded(params) as function:
        return differentiate(function, tensors, grad_output, call.wanted)


def _seed(text: str) -> None:
    """Seed the generators that modules draw their parameters from: the same layer has the same ones in every run."""
    seed = zlib.crc32(text.encode())
    numpy_random.seed(seed)  # noqa: NPY002  (the generator that a candidate may use)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)
