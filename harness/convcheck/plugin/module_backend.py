"""A class of layers as a backend: a drop-in for `torch.nn.Conv2d`, judged as a module and as a function."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from convcheck.plugin.backend import Module
from convcheck.plugin.function_backend import FunctionBackend, declaration_of, declared_as


class ModuleBackend(FunctionBackend):
    """A subclass of `torch.nn.Module` with the constructor, the weight and the bias of `torch.nn.Conv2d`.

    As a function it is a new layer of the shapes of its tensors that is called with these in the place of its
    parameters (`torch.func.functional_call`), which autograd records. It is taken to support padding_mode only if its
    constructor has a parameter of that name.

    Raises:
        CapabilityError: it declares what tensors cannot do.
        UnavailableError: the device that it declares is absent.
    """

    def __init__(self, layer: type, name: str) -> None:
        _, self._device, fields = declaration_of(layer)
        self._layer = layer
        function = _with_mode(layer) if _takes(layer, "padding_mode") else _without_mode(layer)
        super().__init__(declared_as(function, "torch", self._device, {"module": True, **fields}), name)

    def make_module(self, *, dtype: str = "float32", **constructor_arguments: Any) -> Module:
        """A new layer."""
        torch = sys.modules["torch"]
        if not _takes(self._layer, "padding_mode") and constructor_arguments.get("padding_mode") == "zeros":
            del constructor_arguments["padding_mode"]
        made: Module = _made(self._layer, self._device, getattr(torch, dtype), constructor_arguments)
        return made


def is_module_class(target: Any) -> bool:
    """Whether it is a class of torch's modules; whoever wrote one has loaded torch."""
    torch = sys.modules.get("torch")
    return torch is not None and inspect.isclass(target) and issubclass(target, torch.nn.Module)


def _with_mode(layer: type) -> Callable[..., Any]:
    def conv(
        x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: Any, padding_mode: Any
    ) -> Any:
        given = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        return _applied(layer, x, weight, bias, {**given, "padding_mode": padding_mode})

    return conv


def _without_mode(layer: type) -> Callable[..., Any]:
    def conv(x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: Any) -> Any:
        given = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        return _applied(layer, x, weight, bias, given)

    return conv


def _applied(layer: type, x: Any, weight: Any, bias: Any | None, given: dict[str, Any]) -> Any:
    """The output of a new layer with these parameters; it refuses those that do not fit, as `load_state_dict` does."""
    torch = sys.modules["torch"]
    out_channels, per_group, *kernel_size = weight.shape
    shape = {
        "in_channels": per_group * given["groups"],
        "out_channels": out_channels,
        "kernel_size": tuple(kernel_size),
    }
    made = _made(layer, weight.device, weight.dtype, {**shape, **given, "bias": bias is not None})
    parameters = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
    for name, tensor in parameters.items():
        if getattr(made, name).shape != tensor.shape:
            raise ValueError(f"{name} of shape {tuple(tensor.shape)}; the layer has {tuple(getattr(made, name).shape)}")
    return torch.func.functional_call(made, parameters, (x,))


def _made(layer: type, device: Any, dtype: Any, arguments: dict[str, Any]) -> Any:
    if _takes(layer, "device") and _takes(layer, "dtype"):
        return layer(**arguments, device=device, dtype=dtype)
    return layer(**arguments).to(device=device, dtype=dtype)


@lru_cache(maxsize=64)
def _takes(layer: type, name: str) -> bool:
    parameters = inspect.signature(layer).parameters
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
