"""A plain function as a backend: anything with the signature of `torch.nn.functional.conv2d`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

from numpy.typing import NDArray

from convcheck.model.capabilities import Capabilities
from convcheck.model.case import LAYOUTS
from convcheck.plugin.backend import Backend, DoubleGradients, Gradients
from convcheck.plugin.torch_bridge import differentiate, differentiate_twice, from_torch, to_torch
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.params import Conv2dParams

_TENSORS: Final = ("x", "weight", "bias")
_KEYWORDS: Final = ("stride", "padding", "dilation", "groups")
_DECLARED: Final = "__convcheck_capabilities__"

Function = TypeVar("Function", bound=Callable[..., Any])


class SignatureError(ConvcheckError, TypeError):
    """A function that cannot be called as `torch.nn.functional.conv2d`."""


def capabilities(arrays: str | None = None, **declared: Any) -> Callable[[Function], Function]:
    """Decorate a function with what it supports.

    Args:
        arrays: "numpy" or "torch", what the function takes; by default torch if its module imports
            torch, else numpy.
        declared: fields of `Capabilities` that differ from a function's defaults.

    Raises:
        SignatureError: arrays is neither.
        CapabilityError: a field is wrong.
    """
    if arrays not in (None, "numpy", "torch"):
        raise SignatureError(f"arrays={arrays!r}; expected 'numpy' or 'torch'")
    Capabilities(**declared)

    def decorate(function: Function) -> Function:
        setattr(function, _DECLARED, (arrays, declared))
        return function

    return decorate


class FunctionBackend(Backend):
    """A function ``conv(x, weight, bias, stride=…, padding=…, dilation=…, groups=…)`` as a backend.

    The function gets the spelling of the caller: ints, pairs, 'same' and 'valid'. Without a declaration
    it is taken to support float32, and padding_mode only if it has a parameter of that name. With torch
    tensors its gradients come from autograd.

    Raises:
        SignatureError: the function lacks one of the four keywords, or does not take three tensors.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._function = function
        self.name = name
        arrays, declared = getattr(function, _DECLARED, (None, {}))
        self._torch = (arrays or _arrays(function)) == "torch"
        self._keywords = _keywords(function)
        modes = ("padding_mode" in self._keywords) or "padding_modes" in declared
        defaults = Capabilities(gradients=self._torch)
        if not modes:
            defaults = replace(defaults, padding_modes=("zeros",))
        if self._torch:
            defaults = replace(defaults, layouts=tuple(layout for layout in LAYOUTS if layout != "reversed"))
        self.capabilities = replace(defaults, **declared)

    def conv2d(self, x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
        """Call the function."""
        keywords = {name: getattr(params.arguments, name) for name in self._keywords}
        return self._function(x, weight, bias, **keywords)

    def conv2d_backward(
        self, grad_output: Any, x: Any, weight: Any, bias: Any | None, params: Conv2dParams
    ) -> Gradients:
        """The gradients by torch's autograd."""
        return differentiate(
            lambda x, weight, bias: self.conv2d(x, weight, bias, params), (x, weight, bias), grad_output
        )

    def conv2d_double_backward(
        self,
        grad_grad_input: Any,
        grad_grad_weight: Any,
        grad_grad_bias: Any | None,
        grad_output: Any,
        x: Any,
        weight: Any,
        bias: Any | None,
        params: Conv2dParams,
    ) -> DoubleGradients:
        """The gradients of the gradients, by torch's autograd."""
        return differentiate_twice(
            lambda x, weight, bias: self.conv2d(x, weight, bias, params),
            (x, weight, bias),
            grad_output,
            (grad_grad_input, grad_grad_weight, grad_grad_bias),
        )

    def to_native(self, array: NDArray[Any]) -> Any:
        """The array, or a torch tensor on the same memory."""
        return to_torch(array) if self._torch else array

    def to_numpy(self, native: Any) -> NDArray[Any]:
        """The array of a result, which must be of the type that the function takes."""
        return from_torch(native) if self._torch else super().to_numpy(native)


def _arrays(function: Callable[..., Any]) -> str:
    """What a function takes, as far as its module tells: torch if torch or something of it is in there."""
    names = getattr(inspect.unwrap(function), "__globals__", {})
    of_torch = any(
        (getattr(v, "__name__", "") if inspect.ismodule(v) else str(getattr(v, "__module__", ""))).split(".")[0]
        == "torch"
        for v in list(names.values())
    )
    return "torch" if of_torch else "numpy"


def _keywords(function: Callable[..., Any]) -> tuple[str, ...]:
    expected = f"(x, weight, bias, {', '.join(_KEYWORDS)})"
    try:
        signature = inspect.signature(function)
    except ValueError:  # built-in functions may have none: take them at their word
        return _KEYWORDS
    parameters = signature.parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return _KEYWORDS
    missing = [name for name in _KEYWORDS if name not in signature.parameters]
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if missing or len(positional) < len(_TENSORS):
        raise SignatureError(
            f"the signature is {signature}; expected that of torch.nn.functional.conv2d, {expected}"
            + (f"; missing: {', '.join(missing)}" if missing else "")
        )
    return (*_KEYWORDS, "padding_mode") if "padding_mode" in signature.parameters else _KEYWORDS
