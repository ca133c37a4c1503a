"""A layer whose parameters change between two calls: in training, by loading, in whatever way its library has."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np

from convcheck.model.calls import Mode
from convcheck.plugin.backend import Module

_Update: TypeAlias = Callable[[Module, str, Any], None]


def output_after(update: Mode, module: Module, x: Any) -> Any:
    """The output of a layer that was called before, and whose parameters are −1 times what they were then.

    Both calls are made as in evaluation, without autograd where torch is: layers keep packed weights there. A parameter
    that cannot be changed so is left as it is.

    Args:
        update: one of `UPDATES`.
        module: a new layer.
        x: the input of both calls.
    """
    if callable(evaluated := getattr(module, "eval", None)):
        evaluated()
    with _without_autograd():
        module(x)
        for name in ("weight", "bias"):
            if getattr(module, name) is not None:
                # what cannot be changed (a read-only array, a property) is no fault of the layer
                with suppress(AttributeError, TypeError, ValueError, RuntimeError):
                    UPDATES[update](module, name, getattr(module, name))
        return module(x)


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
