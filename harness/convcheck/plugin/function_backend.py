"""A plain function as a backend: anything with the signature of `torch.nn.functional.conv2d`, on any device."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar

from numpy.typing import NDArray

from convcheck.model.capabilities import Capabilities, CapabilityError
from convcheck.plugin.accelerator import Accelerator
from convcheck.plugin.array_trial import arrays_taken
from convcheck.plugin.arrays import arrays_of, check_arrays, usual_device
from convcheck.plugin.backend import Backend, DoubleGradients, Gradients
from convcheck.plugin.imported_packages import array_packages, spoken_for
from convcheck.plugin.own_words import ScriptCall, function_lines
from convcheck.plugin.torch_bridge import differentiate, differentiate_twice
from convcheck_reference.errors import ConvcheckError
from convcheck_reference.params import Conv2dParams

_TENSORS: Final = ("x", "weight", "bias")
KEYWORDS: Final = ("stride", "padding", "dilation", "groups")
_DECLARED: Final = "__convcheck_capabilities__"

Function = TypeVar("Function", bound=Callable[..., Any])


class SignatureError(ConvcheckError, TypeError):
    """A function that cannot be called as `torch.nn.functional.conv2d`."""


class Declaration(NamedTuple):
    """What a function says of itself: the library of its arrays, where it says so, their device, and fields."""

    arrays: str | None = None
    device: str = "cpu"
    fields: Mapping[str, Any] = MappingProxyType({})


def capabilities(arrays: str | None = None, device: str = "cpu", **declared: Any) -> Callable[[Function], Function]:
    """Decorate a function with what it supports.

    Args:
        arrays: what the function takes and returns: "numpy", "torch", or the name of a package whose arrays speak
            DLPack ("cupy", "jax", "mlx", …); "any" for one that takes NumPy's and returns what has `__array__` or
            DLPack. By default what a call on a tiny layer tells: NumPy's, torch's, or those of a package that is
            imported where the function stands; torch's on a device.
        device: where these lie, as torch spells it: "cpu", "cuda", "cuda:1", "xpu", "mps".
        declared: fields of `Capabilities` that differ from a function's defaults.

    Raises:
        CapabilityError: a field is wrong, or NumPy's arrays are asked for on a device.
    """
    check_arrays(arrays, device)
    Capabilities(**declared)

    return lambda function: declared_as(function, arrays, device, declared)


def declared_as(function: Function, arrays: str | None, device: str, fields: Mapping[str, Any]) -> Function:
    """The function, which says this of itself from now on."""
    setattr(function, _DECLARED, Declaration(arrays, device, fields))
    return function


class FunctionBackend(Backend):
    """A function ``conv(x, weight, bias, stride=…, padding=…, dilation=…, groups=…)`` as a backend.

    The function gets the spelling of the caller: ints, pairs, 'same' and 'valid'. Without a declaration
    it is taken to support float32, and padding_mode only if it has a parameter of that name. With torch
    tensors its gradients come from autograd, and those of the gradients, where it can be differentiated twice.

    Raises:
        SignatureError: the function lacks one of the four keywords, or does not take three tensors.
        UnknownArraysError: it does not say whose arrays it takes, and fails with those of each library in its own way.
        CapabilityError: it declares what its arrays cannot do.
        UnavailableError: their package or device is absent.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._function = function
        self.name = name
        library, device, declared = declaration_of(function)
        self._keywords = _keywords(function)
        if library is None:
            library = library_of(function)
            device = usual_device(library) if device == "cpu" else device
        dtypes = Capabilities(**declared).dtypes
        self._arrays = arrays_of(library, device, dtypes)
        self._library = library
        defaults = Capabilities(gradients=library == "torch", layouts=self._arrays.layouts)
        if "padding_mode" not in self._keywords:
            defaults = replace(defaults, padding_modes=("zeros",))
        self.capabilities = replace(defaults, **{**_by_autograd(defaults.gradients, declared), **declared})
        found = self.capabilities
        if library != "torch" and (found.gradients or found.autograd or found.double_backward):
            raise CapabilityError(
                f"{name} declares gradients, which come from autograd for torch's tensors alone; for arrays of "
                f"{library} subclass convcheck.Backend and write conv2d_backward, or do not declare them"
            )

    def conv2d(self, x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
        """Call the function."""
        with self._arrays.current():
            return self._function(x, weight, bias, **self._of_layer(params))

    def _of_layer(self, params: Conv2dParams) -> dict[str, Any]:
        return {name: getattr(params.arguments, name) for name in self._keywords}

    def conv2d_backward(
        self, grad_output: Any, x: Any, weight: Any, bias: Any | None, params: Conv2dParams
    ) -> Gradients:
        """The gradients by torch's autograd."""
        return differentiate(
            lambda x, weight, bias: self.conv2d(x, weight, bias, params), (x, weight, bias), grad_output
        )

    @contextmanager
    def recorded(self, params: Conv2dParams) -> Iterator[Callable[..., Any]]:
        """The function on torch's tensors, in the keywords of the layer and those of a call."""
        keywords = self._of_layer(params)
        with self._arrays.current():
            yield lambda x, weight, bias, **more: self._function(x, weight, bias, **keywords, **more)

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

    def accelerator(self) -> Accelerator | None:
        """That of the function's arrays."""
        return self._arrays.accelerator()

    def to_native(self, array: NDArray[Any]) -> Any:
        """What the function takes, on its device."""
        return self._arrays.to_native(array)

    def to_numpy(self, native: Any) -> NDArray[Any]:
        """The array of a result, which must be of the library that the function takes, and on its device."""
        return self._arrays.to_numpy(native)

    def all_to_numpy(self, natives: Sequence[Any]) -> Sequence[NDArray[Any]]:
        """In one transfer, where convcheck places the tensors."""
        accelerator = self.accelerator()
        return super().all_to_numpy(natives) if accelerator is None else accelerator.arrays(natives)

    def versions(self) -> dict[str, str]:
        """Those of the library of its arrays."""
        return self._arrays.versions()

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The import of the function, and a call of it; none on a device, or arrays of other libraries."""
        if self.accelerator() is not None:
            return ()
        return function_lines(call, self._library, modes="padding_mode" in self._keywords)


def _by_autograd(of_torch: bool, declared: Mapping[str, Any]) -> dict[str, Any]:
    """What a function on torch's tensors is asked for, unless it declares otherwise: all that autograd gives."""
    recorded = of_torch and declared.get("gradients", True)
    return {"autograd": True, "double_backward": "tried"} if recorded else {}


def library_of(function: Callable[..., Any]) -> str:
    """The library whose arrays a function takes: as it declares, or as a call of it on a tiny layer tells.

    Raises:
        SignatureError: it cannot be called as a convolution.
        UnknownArraysError: neither says it.
    """
    library, device, declared = declaration_of(function)
    if library is not None:
        return library
    if device != "cpu":  # where no array of NumPy's lies
        return "torch"
    dtype, others = Capabilities(**declared).dtypes[0], array_packages(function)
    return arrays_taken(function, _keywords(function), dtype, spoken_for(function), others)


def declaration_of(function: Callable[..., Any]) -> Declaration:
    """What a function says of itself, or that which a partial one calls."""
    while isinstance(function, partial) and not hasattr(function, _DECLARED):
        function = function.func
    found: Declaration = getattr(function, _DECLARED, Declaration())
    return found


def _keywords(function: Callable[..., Any]) -> tuple[str, ...]:
    expected = f"(x, weight, bias, {', '.join(KEYWORDS)})"
    try:
        signature = inspect.signature(function)
    except ValueError:  # built-in functions may have none: take them at their word
        return KEYWORDS
    parameters = signature.parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return KEYWORDS
    missing = [name for name in KEYWORDS if name not in signature.parameters]
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if missing or len(positional) < len(_TENSORS):
        raise SignatureError(
            f"the signature is {signature}; expected that of torch.nn.functional.conv2d, {expected}"
            + (f"; missing: {', '.join(missing)}" if missing else "")
        )
    return (*KEYWORDS, "padding_mode") if "padding_mode" in signature.parameters else KEYWORDS
