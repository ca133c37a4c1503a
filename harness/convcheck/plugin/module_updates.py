"""A layer whose parameters change between two calls: in training, by loading, in whatever way its library has."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np

from convcheck.model.calls import Mode
from convcheck.plugin.backend import Module

_Update: TypeAlias = Callable[[Module, str, Any], None]


def updated(update: Mode, module: Module, x: Any) -> tuple[Any, Any, Any]:
    """The parameters and the output of a layer that was called before its parameters became −1 times what they were.

    Both calls are made as in evaluation, without autograd where torch is: layers keep packed weights there. A parameter
    that cannot be changed so is left as it is.

    Args:
        update: one of `UPDATES`, or COPIED, for which the second call is one of a deep copy whose parameters stay.
        module: a new layer.
        x: the input of both calls.
    """
    if callable(evaluated := getattr(module, "eval", None)):
        evaluated()
    with _without_autograd():
        module(x)
        if update is Mode.COPIED:
            return _of_copy(module, x)
        _change(update, module)
        return module.weight, module.bias, module(x)


def _of_copy(module: Module, x: Any) -> tuple[Any, Any, Any]:
    try:
        copied = copy.deepcopy(module)
    except Exception:  # noqa: BLE001  (as torch raises for weights that are computed from others: then it is called again)
        return module.weight, module.bias, module(x)
    due = _kept(copied.weight), _kept(copied.bias)
    _change(Mode.IN_PLACE, module)
    return *due, copied(x)


def _change(update: Mode, module: Module) -> None:
    for name in ("weight", "bias"):
        if getattr(module, name) is not None:
            # what cannot be changed (a read-only array, a property) is no fault of the layer
            with suppress(AttributeError, TypeError, ValueError, RuntimeError):
                UPDATES[update](module, name, getattr(module, name))


def _kept(parameter: Any) -> Any:
    """A copy that no change of the parameter reaches."""
    return copy.deepcopy(parameter.detach() if hasattr(parameter, "detach") else parameter)


def _without_autograd() -> AbstractContextManager[Any]:
    torch = sys.modules.get("torch")
    return nullcontext() if torch is None else torch.no_grad()


def _in_place(_module: Module, _name: str, parameter: Any) -> None:
    """As optimizers and `load_state_dict` do; arrays that never change are left alone."""
    if hasattr(parameter, "neg_"):
        parameter.neg_()
    elif isinstance(parameter, np.ndarray):
        np.negative(parameter, out=parameter)


def _through_data(_module: Module, _name: str, parameter: Any) -> None:
    """As in much code for torch, which autograd's count of versions does not see."""
    if hasattr(parameter, "neg_"):
        parameter.data.neg_()


def _replaced(module: Module, name: str, parameter: Any) -> None:
    """By another array, or another `torch.nn.Parameter`."""
    if hasattr(parameter, "requires_grad") and hasattr(parameter, "detach"):
        other = type(parameter)(-parameter.detach())
        other.requires_grad_(parameter.requires_grad)
    else:
        other = -parameter
    setattr(module, name, other)


UPDATES: Final[Mapping[Mode, _Update]] = MappingProxyType(
    {Mode.IN_PLACE: _in_place, Mode.THROUGH_DATA: _through_data, Mode.REPLACED: _replaced}
)
"""The ways in which parameters are changed."""
