"""Contract: what comes back, what is refused, and what is not."""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.defects.model import Category, Defect, DefectBackend
from convcheck.model.case import Case
from convcheck.model.rules import Rule, facts
from convcheck.plugin.backend import Gradients
from convcheck.plugin.reference_backend import ReferenceModule
from convcheck_reference.params import Arguments, Conv2dParams

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """What a caller asks for."""

    arguments: Arguments
    x: Array
    weight: Array
    bias: Array | None


class _Lenient(DefectBackend):
    """Makes a request legal in one respect before it looks at it."""

    def __init__(self, repair: Callable[[Request], Request]) -> None:
        self._repair = repair

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        request = self._repair(Request(params.arguments, x, weight, bias))
        return super().conv2d(request.x, request.weight, request.bias, Conv2dParams.of(request.arguments))


class _Returning(DefectBackend):
    """Returns something else where a rule holds."""

    def __init__(self, rule: Rule, output: Callable[[Array], Any]) -> None:
        self._rule = rule
        self._output = output

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        output = super().conv2d(x, weight, bias, params)
        return self._output(output) if _holds(self._rule, x, params) else output


class _ReturningGradients(DefectBackend):
    """Returns other gradients where a rule holds."""

    def __init__(self, rule: Rule, gradients: Callable[[Gradients], Gradients]) -> None:
        self._rule = rule
        self._gradients = gradients

    def conv2d_backward(
        self, grad_output: Array, x: Array, weight: Array, bias: Array | None, params: Conv2dParams
    ) -> Gradients:
        exact = super().conv2d_backward(grad_output, x, weight, bias, params)
        return self._gradients(exact) if _holds(self._rule, x, params) else exact


class _Fatal(DefectBackend):
    """Does something to its process on some requests."""

    def __init__(self, condition: Callable[[Request], bool], act: Callable[[], None]) -> None:
        self._condition = condition
        self._act = act

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        if self._condition(Request(params.arguments, x, weight, bias)):
            self._act()
        return super().conv2d(x, weight, bias, params)


class _BuildingModules(DefectBackend):
    """Changes a freshly built layer, or the arguments that it is built from."""

    def __init__(
        self,
        arguments: Callable[[dict[str, Any]], dict[str, Any]] = lambda a: a,
        module: Callable[[ReferenceModule, Conv2dParams], None] = lambda *_: None,
    ) -> None:
        self._arguments = arguments
        self._module = module

    def make_module(self, **constructor_arguments: Any) -> ReferenceModule:
        spelled = {name: value for name, value in constructor_arguments.items() if name != "dtype"}
        params = Conv2dParams(**spelled)
        module = super().make_module(**self._arguments(constructor_arguments))
        self._module(module, params)
        return module


def _holds(rule: Rule, x: Array, params: Conv2dParams) -> bool:
    return rule.holds(facts(Case(params.arguments, x.shape, x.dtype.name)))


def _returns(name: str, summary: str, region: str, output: Callable[[Array], Any]) -> Defect:
    rule = Rule(region)
    return Defect(name, Category.CONTRACT, summary, rule, lambda: _Returning(rule, output))


def _returns_gradients(name: str, summary: str, region: str, gradients: Callable[[Gradients], Gradients]) -> Defect:
    rule = Rule(region)
    return Defect(name, Category.CONTRACT, summary, rule, lambda: _ReturningGradients(rule, gradients))


def accepts(name: str, summary: str, repair: Callable[[Request], Request]) -> Defect:
    """A defect that makes a request legal before it computes it."""
    return Defect(name, Category.CONTRACT, summary, Rule("False"), lambda: _Lenient(repair))


def _refuse(_: Array) -> Any:
    raise NotImplementedError("not supported")


def respelled(**changes: Callable[[Arguments], Any]) -> Callable[[Request], Request]:
    """A request whose arguments are computed from what they were."""

    def repair(request: Request) -> Request:
        values = {name: value(request.arguments) for name, value in changes.items()}
        return replace(request, arguments=replace(request.arguments, **values))

    return repair


def _at_least(name: str, least: int) -> Callable[[Arguments], Any]:
    def value(arguments: Arguments) -> Any:
        given = getattr(arguments, name)
        if isinstance(given, int):
            return max(least, given)
        return tuple(max(least, v) for v in given) if isinstance(given, tuple) else given

    return value


def _fitting_channels(request: Request) -> Request:
    """Channels that the layer does not have are not looked at."""
    arguments, x = request.arguments, request.x
    if x.ndim not in (3, 4) or x.shape[-3] <= arguments.in_channels:
        return request
    return replace(request, x=x[..., : arguments.in_channels, :, :])


def _whole_groups(request: Request) -> Request:
    """Channels left over by the groups are not looked at."""
    spelled, x = request.arguments, request.x
    groups = spelled.groups
    if not isinstance(groups, int) or groups < 1 or spelled.in_channels < groups or spelled.out_channels % groups:
        return request
    channels = spelled.in_channels // groups * groups
    if channels == spelled.in_channels:
        return request
    return replace(request, arguments=replace(spelled, in_channels=channels), x=x[..., :channels, :, :])


def _unit_stride(arguments: Arguments) -> Any:
    return 1 if arguments.padding == "same" else arguments.stride


def _one_dtype(request: Request) -> Request:
    return replace(request, weight=request.weight.astype(request.x.dtype))


def _fan_out(module: ReferenceModule, params: Conv2dParams) -> None:
    """Weights within ±1/√(out · kh · kw)."""
    fan_out = params.out_channels * math.prod(params.kernel_size)
    module.weight = (module.weight.astype(np.float64) * math.sqrt(params.fan_in / fan_out)).astype(module.weight.dtype)


def _zero_bias(module: ReferenceModule, _: Conv2dParams) -> None:
    if module.bias is not None:
        module.bias = np.zeros_like(module.bias)


def _module(name: str, summary: str, region: str, **changes: Any) -> Defect:
    rule = Rule(f"entry == 'module'{region and ' and '}{region}")
    return Defect(name, Category.CONTRACT, summary, rule, partial(_BuildingModules, **changes))


def divides_by_zero() -> None:
    """End the process as a division by zero does."""
    os.kill(os.getpid(), signal.SIGFPE)


def _hangs() -> None:
    while True:
        time.sleep(1.0)


def fatal(
    name: str, summary: str, region: str, condition: Callable[[Request], bool], act: Callable[[], None]
) -> Defect:
    """A defect that does something to its process where a condition holds."""
    return Defect(name, Category.CONTRACT, summary, Rule(region), lambda: _Fatal(condition, act), fatal=True)


def _has_zero(value: Any) -> bool:
    return value == 0 or (isinstance(value, tuple) and 0 in value)


DEFECTS: Final[tuple[Defect, ...]] = (
    _returns("result-in-float64", "a result in float64 whatever the input", "dtype != 'float64'",
             lambda a: a.astype(np.float64)),
    _returns("half-result-in-float32", "a result in float32 for 16-bit inputs", "dtype in ('float16', 'bfloat16')",
             lambda a: a.astype(np.float32)),
    _returns("output-size-rounded-up", "an output with one more row where the stride leaves rows over",
             "left_over_h > 0 and batch > 0", lambda a: np.concatenate([a, a[..., -1:, :]], axis=-2)),
    _returns("unbatched-gains-batch", "a batch of one for an unbatched input", "unbatched", lambda a: a[None]),
    _returns("empty-batch-none", "None for an empty batch", "batch == 0", lambda _: None),
    _returns("empty-batch-refused", "an error for an empty batch", "batch == 0", _refuse),
    _returns("result-as-list", "nested lists for unbatched inputs", "unbatched", lambda a: a.tolist()),
    _returns("single-filter-squeezed", "no channel axis for a single filter",
             "out_channels == 1", lambda a: a.squeeze(-3)),
    _returns("wide-padding-refused", "an error where padding exceeds the kernel", "padding_w > kernel_w", _refuse),
    _returns("even-same-refused", "an error for 'same' with an even kernel",
             "padding_same and (kernel_h % 2 == 0 or kernel_w % 2 == 0)", _refuse),
    _returns("dilated-strided-refused", "an error for stride and dilation together",
             "stride_h > 1 and dilation_h > 1", _refuse),
    _returns_gradients("grad-bias-without-bias", "a bias gradient for layers without bias", "not bias",
                       lambda g: g._replace(bias=np.zeros(len(g.weight), g.weight.dtype))),
    _returns_gradients("grad-bias-as-row", "a bias gradient of shape (1, out)", "bias",
                       lambda g: g._replace(bias=None if g.bias is None else g.bias[None])),
    _returns_gradients("grad-input-in-float64", "an input gradient in float64 whatever the input",
                       "dtype != 'float64'", lambda g: g._replace(input=g.input.astype(np.float64))),
    accepts("groups-round-down", "groups that do not divide the input channels accepted", _whole_groups),
    accepts("negative-padding-as-zero", "negative padding accepted as none",
             respelled(padding=_at_least("padding", 0))),
    accepts("zero-stride-as-one", "strides below 1 accepted as 1", respelled(stride=_at_least("stride", 1))),
    accepts("zero-dilation-as-one", "dilations below 1 accepted as 1",
             respelled(dilation=_at_least("dilation", 1))),
    accepts("same-with-stride-accepted", "'same' with a stride accepted as stride 1", respelled(stride=_unit_stride)),
    accepts("mixed-dtypes-accepted", "a weight of another dtype converted", _one_dtype),
    accepts("extra-channels-accepted", "input channels that the layer does not have dropped", _fitting_channels),
    _module("module-fan-out", "a layer initialised from its fan-out", "", module=_fan_out),
    _module("module-zero-bias", "a layer whose bias starts at zero", "bias", module=_zero_bias),
    _module("module-forgets-mode", "a layer that pads with zeros in every mode",
            "padding_mode != 'zeros' and (pad_bottom > 0 or pad_right > 0)",
            arguments=lambda a: {**a, "padding_mode": "zeros"}),
    fatal("dies-on-empty-batch", "a process that divides by a batch of zero", "batch == 0",
           lambda r: r.x.ndim == 4 and not len(r.x), divides_by_zero),
    fatal("dies-on-zero-stride", "a process that divides by a stride of zero", "False",
           lambda r: _has_zero(r.arguments.stride), divides_by_zero),
    fatal("hangs-on-zero-dilation", "a loop that a dilation of zero never ends", "False",
           lambda r: _has_zero(r.arguments.dilation), _hangs),
)  # fmt: skip
"""The defects of this category."""
