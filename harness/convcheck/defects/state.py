"""State: a result that depends on earlier calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from convcheck.defects.model import Category, Defect, DefectBackend
from convcheck.model.rules import Rule
from convcheck.plugin.backend import Gradients
from convcheck_reference.params import Conv2dParams

Array = NDArray[Any]


class _Remembering(DefectBackend):
    """The reference with a memory, and a count of its calls."""

    def __init__(self) -> None:
        self._memory: dict[Any, Any] = {}
        self._calls = 0


class _WeightByShape(_Remembering):
    """Keeps the transformed weight under its shape."""

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        kept = self._memory.setdefault((weight.shape, weight.dtype), weight.copy())
        return super().conv2d(x, kept, bias, params)


class _BiasByChannels(_Remembering):
    """Keeps the bias of the first call with a number of channels."""

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        kept = None if bias is None else self._memory.setdefault((bias.shape, bias.dtype), bias.copy())
        return super().conv2d(x, weight, kept, params)


class _PlanByShape(_Remembering):
    """Keeps the geometry under the shapes of input, weight and output alone."""

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        exact = super().conv2d(x, weight, bias, params)
        plan = self._memory.setdefault((x.shape, weight.shape, exact.shape, bias is None), params)
        return exact if plan == params else super().conv2d(x, weight, bias, plan)


class _StaleBorder(_Remembering):
    """Keeps the padded input under its padded shape, and writes only its inside anew."""

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        exact = super().conv2d(x, weight, bias, params)
        if params.padding_mode != "zeros":
            return exact
        (top, bottom), (left, right) = params.padding
        height, width = x.shape[-2:]
        shape = (*x.shape[:-2], top + height + bottom, left + width + right)
        padded = self._memory.setdefault((shape, x.dtype), np.zeros(shape, x.dtype))
        padded[..., top : top + height, left : left + width] = x
        unpadded = Conv2dParams(
            params.in_channels, params.out_channels, params.kernel_size, params.stride, 0, params.dilation,
            params.groups, params.bias,
        )  # fmt: skip
        return super().conv2d(padded, weight, bias, unpadded)


class _BufferReused(_Remembering):
    """Returns the same buffer for every output of a shape."""

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        exact = super().conv2d(x, weight, bias, params)
        buffer = self._memory.setdefault((exact.shape, exact.dtype), np.empty_like(exact))
        buffer[...] = exact
        return buffer


class _BufferNotCleared(_Remembering):
    """Adds to the buffer that it kept for a shape."""

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        exact = super().conv2d(x, weight, bias, params)
        key = (exact.shape, exact.dtype)
        self._memory[key] = exact + self._memory.get(key, exact.dtype.type(0))
        return self._memory[key].copy()


class _GradientNotCleared(_Remembering):
    """Adds each weight gradient to that of the call before, if it has the same shape."""

    def conv2d_backward(
        self, grad_output: Array, x: Array, weight: Array, bias: Array | None, params: Conv2dParams
    ) -> Gradients:
        exact = super().conv2d_backward(grad_output, x, weight, bias, params)
        earlier = self._memory.get("gradient")
        same = earlier is not None and (earlier.shape, earlier.dtype) == (exact.weight.shape, exact.weight.dtype)
        gradient = exact.weight + earlier if same else exact.weight
        self._memory["gradient"] = gradient
        return exact._replace(weight=gradient.copy())


class _ByAddress(_Remembering):
    """Keeps the output under the addresses of its operands."""

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        key = (x.ctypes.data, x.shape, x.dtype, weight.ctypes.data, params)
        if key not in self._memory:
            self._memory[key] = super().conv2d(x, weight, bias, params)
        return self._memory[key].copy()


class _SizedByFirstCall(_Remembering):
    """Its workspace holds as many output elements as the first call had; those beyond stay zero."""

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        output = super().conv2d(x, weight, bias, params)
        held = self._memory.setdefault("elements", max(1024, output.size))
        output.reshape(-1)[held:] = 0
        return output


class _WeightScaledInPlace(_Remembering):
    """Doubles the weight where it lies, and halves the result."""

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        output = super().conv2d(x, weight, bias, params)
        weight *= weight.dtype.type(2)
        return output


class _Counting(_Remembering):
    """Alters the output of some calls, by their number."""

    def __init__(self, wrong: Callable[[int], bool], alter: Callable[[Array, Array | None], Array]) -> None:
        super().__init__()
        self._wrong = wrong
        self._alter = alter

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        output = super().conv2d(x, weight, bias, params)
        self._calls += 1
        return self._alter(output, bias) if self._wrong(self._calls) else output


def _last_zero(output: Array, _: Array | None) -> Array:
    output = output.copy()
    output[..., -1:] = 0
    return output


def _without_bias(output: Array, bias: Array | None) -> Array:
    return output if bias is None else output - bias[:, None, None]


def _row(name: str, summary: str, region: str, build: Callable[[], DefectBackend]) -> Defect:
    return Defect(name, Category.STATE, summary, Rule(region), build)


DEFECTS: Final[tuple[Defect, ...]] = (
    _row("weight-kept-by-shape", "a weight kept from the first call with its shape", "", _WeightByShape),
    _row("bias-kept-by-channels", "a bias kept from the first call with its number of channels",
         "bias", _BiasByChannels),
    _row("plan-kept-by-shape", "strides, padding and dilation kept from the first call with the same shapes",
         "", _PlanByShape),
    _row("stale-border", "a border of padding that keeps what an earlier, larger image left there",
         "padding_mode == 'zeros' and (pad_bottom > 0 or pad_right > 0)", _StaleBorder),
    _row("result-buffer-reused", "an output that the next call of the same shape overwrites", "", _BufferReused),
    _row("result-buffer-not-cleared", "an output added to the one before of the same shape", "", _BufferNotCleared),
    _row("grad-weight-not-cleared", "a weight gradient added to the one before of the same shape",
         "", _GradientNotCleared),
    _row("result-kept-by-address", "the output of an earlier call with operands at the same addresses",
         "", _ByAddress),
    _row("workspace-of-first-call", "outputs larger than the first call's left at zero beyond its size",
         "batch * out_channels * output_h * output_w > 1024", _SizedByFirstCall),
    _row("weight-scaled-in-place", "a weight that the call leaves doubled", "", _WeightScaledInPlace),
    _row("every-hundredth-call", "the last column left at zero in every hundredth call",
         "", lambda: _Counting(lambda n: n % 100 == 0, _last_zero)),
    _row("first-call-wrong", "the last column left at zero in the first call",
         "", lambda: _Counting(lambda n: n == 1, _last_zero)),
    _row("right-while-warming-up", "no bias from the eleventh call on",
         "bias", lambda: _Counting(lambda n: n > 10, _without_bias)),
)  # fmt: skip
"""The defects of this category."""
