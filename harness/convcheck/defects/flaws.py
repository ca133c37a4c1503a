"""Flaws: arguments and tensors that nobody should take, taken for something that they resemble."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.defects.contract import Request, accepts, divides_by_zero, fatal, respelled
from convcheck.defects.model import Defect
from convcheck_reference.params import Arguments

Array = NDArray[Any]


def _each(name: str, change: Callable[[Any], Any]) -> Callable[[Arguments], Any]:
    """The argument, or both of its numbers, changed."""

    def value(arguments: Arguments) -> Any:
        given = getattr(arguments, name)
        return tuple(map(change, given)) if isinstance(given, tuple) else change(given)

    return value


def _truncated(number: Any) -> Any:
    return int(number) if isinstance(number, float) and math.isfinite(number) else number


def _first_two(name: str) -> Callable[[Arguments], Any]:
    def value(arguments: Arguments) -> Any:
        given = getattr(arguments, name)
        return given[:2] if isinstance(given, tuple) else given

    return value


def _any_case(arguments: Arguments) -> Any:
    padding = arguments.padding
    return padding.strip().lower() if isinstance(padding, str) else padding


def _bias(change: Callable[[Array, Request], Array]) -> Callable[[Request], Request]:
    """A request whose bias is another one, if it has one."""

    def repair(request: Request) -> Request:
        bias = request.bias
        return replace(request, bias=change(bias, request)) if isinstance(bias, np.ndarray) else request

    return repair


def _filled_up(bias: Array, request: Request) -> Array:
    missing = request.arguments.out_channels - len(bias)
    return np.pad(bias, (0, missing)) if bias.ndim == 1 and missing > 0 else bias


def _repeated(bias: Array, request: Request) -> Array:
    return np.repeat(bias, request.arguments.out_channels) if bias.shape == (1,) else bias


def _zeros_for_missing_channels(request: Request) -> Request:
    x = request.x
    if not isinstance(x, np.ndarray) or x.ndim not in (3, 4):
        return request
    missing = request.arguments.in_channels - x.shape[-3]
    if missing <= 0:
        return request
    return replace(request, x=np.pad(x, (*((0, 0),) * (x.ndim - 3), (0, missing), (0, 0), (0, 0))))


def _folded(request: Request) -> Request:
    x = request.x
    folds = isinstance(x, np.ndarray) and x.ndim == 5
    return replace(request, x=x.reshape(-1, *x.shape[-3:])) if folds else request


def _in_every_channel(request: Request) -> Request:
    x = request.x
    if not isinstance(x, np.ndarray) or x.ndim != 2:
        return request
    return replace(request, x=np.repeat(x[None], request.arguments.in_channels, axis=0))


def _converted(request: Request) -> Request:
    dtype = next(a.dtype for a in (request.x, request.weight) if isinstance(a, np.ndarray))
    tensors: tuple[Any, ...] = (request.x, request.weight, request.bias)
    x, weight, bias = (np.asarray(a, dtype) if isinstance(a, list) else a for a in tensors)
    return Request(request.arguments, x, weight, bias)


def _lacks_a_tensor(request: Request) -> bool:
    tensors: tuple[Any, ...] = (request.x, request.weight)
    return any(tensor is None for tensor in tensors)


DEFECTS: Final[tuple[Defect, ...]] = (
    accepts("float-stride-truncated", "strides with a fraction accepted, without it",
            respelled(stride=_each("stride", _truncated))),
    accepts("float-padding-truncated", "padding with a fraction accepted, without it",
            respelled(padding=_each("padding", _truncated))),
    accepts("float-dilation-truncated", "dilations with a fraction accepted, without it",
            respelled(dilation=_each("dilation", _truncated))),
    accepts("bool-groups-counted", "True accepted as one group",
            respelled(groups=_each("groups", lambda g: int(g) if isinstance(g, bool) else g))),
    accepts("no-stride-as-one", "None accepted as a stride of 1",
            respelled(stride=_each("stride", lambda s: 1 if s is None else s))),
    accepts("nan-padding-as-none", "NaN accepted as no padding",
            respelled(padding=_each("padding", lambda p: 0 if isinstance(p, float) and math.isnan(p) else p))),
    accepts("padding-word-in-any-case", "'same' and 'valid' accepted in any case and with spaces around",
            respelled(padding=_any_case)),
    accepts("third-stride-dropped", "a third stride accepted and not looked at",
            respelled(stride=_first_two("stride"))),
    accepts("bias-tail-dropped", "bias entries without a filter dropped",
            _bias(lambda b, r: b[: r.arguments.out_channels] if b.ndim == 1 else b)),
    accepts("short-bias-filled-up", "missing bias entries taken for zeros", _bias(_filled_up)),
    accepts("single-bias-repeated", "one bias entry accepted for all filters", _bias(_repeated)),
    accepts("bias-flattened", "a bias of any shape flattened", _bias(lambda b, _: b.reshape(-1))),
    accepts("bias-converted", "a bias of another dtype converted", _bias(lambda b, r: b.astype(r.x.dtype))),
    accepts("missing-channels-as-zeros", "input channels that are missing taken for zeros",
            _zeros_for_missing_channels),
    accepts("fifth-dimension-folded", "leading dimensions folded into the batch", _folded),
    accepts("plane-in-every-channel", "an input of two dimensions taken for every channel", _in_every_channel),
    accepts("lists-converted", "lists in place of tensors converted", _converted),
    fatal("dies-without-a-tensor", "a process that dereferences a tensor that is None", "False",
          _lacks_a_tensor, divides_by_zero),
)  # fmt: skip
"""More defects of the contract."""
