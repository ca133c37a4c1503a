"""MLX on the CPU: https://ml-explore.github.io/mlx/build/html/python/_autosummary/mlx.core.conv_general.html.

Images and filters are in NHWC order. It has no words for padding, so that 'same' is what it comes to in pixels,
and none for the bias, which is added to the result in its dtype, as in `mlx.nn.Conv2d`. Operands of two dtypes are
computed with in the wider of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import mlx.core as mx
import numpy as np

from convcheck import PROFILES, Backend, Extension, Gradients, ScriptCall
from convcheck_backends.engines.spelling import copied_batches, given, gradients, sides
from convcheck_reference import DTYPES, Conv2dParams

_BFLOAT16 = DTYPES["bfloat16"]


class Mlx(Backend):
    """`mlx.core.conv_general`, and its gradients by `mlx.core.vjp`."""

    name = "mlx"
    capabilities = copied_batches(
        dtypes=("float32", "float16", "bfloat16"),
        gradients=True,
        thread_safe=False,  # arrays are computed on the stream of the thread that made them
        extensions=(Extension.ASYMMETRIC_PADDING, Extension.PROMOTED_DTYPES),
        profiles={
            ("float16", "output"): replace(PROFILES["fp16-in-fp32-acc"], name="", rounds_before_bias=True),
            ("bfloat16", "output"): replace(PROFILES["bf16-in-fp32-acc"], name="", rounds_before_bias=True),
        },
    )

    def conv2d(self, x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
        """The output."""
        if bias is not None and bias.shape != weight.shape[:1]:  # adding would broadcast it
            raise ValueError(f"the bias has shape {bias.shape}; expected {weight.shape[:1]}")
        return _layer(params)(*given(x, weight, bias))

    def conv2d_backward(
        self, grad_output: Any, x: Any, weight: Any, bias: Any | None, params: Conv2dParams
    ) -> Gradients:
        """The gradients."""
        _, found = mx.vjp(_layer(params), list(given(x, weight, bias)), [grad_output])
        return gradients(found)

    def to_native(self, array: Any) -> Any:
        """A copy; bfloat16 goes by its bits, as NumPy has no such type of its own."""
        if array.dtype == _BFLOAT16:
            return mx.array(array.view(np.uint16)).view(mx.bfloat16)
        return mx.array(array, getattr(mx, array.dtype.name))  # which otherwise makes float64 float32

    def to_numpy(self, native: Any) -> Any:
        """The array of a result, computed by now."""
        return np.array(native.view(mx.uint16)).view(_BFLOAT16) if native.dtype == mx.bfloat16 else np.array(native)

    def versions(self) -> dict[str, str]:
        """The engine's."""
        return {"mlx": mx.__version__}

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The convolution in NHWC order, and `mlx.core.vjp` of it."""
        (top, bottom, left, right), params = sides(call.params), call.params
        names, plus = ", ".join(call.operands), " + bias" if call.bias else ""
        wide = ".astype(mx.float32)" if call.dtype == "bfloat16" else ""
        read = "mx.array(array.view(np.uint16)).view(mx.bfloat16)" if wide else "mx.array(array)"
        lines = (
            "import mlx.core as mx",
            "def layer(x, weight, bias=None):",
            "    x, weight = x.transpose(0, 2, 3, 1), weight.transpose(0, 2, 3, 1)",
            f"    y = mx.conv_general(x, weight, {params.stride}, ([{top}, {left}], [{bottom}, {right}]),",
            f"        {params.dilation}, groups={params.groups}, stream=mx.cpu){plus}",
            "    return y.transpose(0, 3, 1, 2)",
            f"{names} = ({read} for array in ({names}))",
        )
        if call.quantity == "output":
            return (*lines, f"got = np.array(layer({names}){wide})")
        return (
            *lines,
            f"grad_output = {read.replace('array)', 'grad_output)').replace('array.view', 'grad_output.view')}",
            f"_, gradients = mx.vjp(layer, [{names}], [grad_output])",
            "mx.eval(*gradients)",
            f"got = np.array(gradients[{call.result}]{wide})",
        )


def _layer(params: Conv2dParams) -> Callable[..., Any]:
    top, bottom, left, right = sides(params)

    def layer(x: Any, weight: Any, bias: Any | None = None) -> Any:
        output = mx.conv_general(
            x.transpose(0, 2, 3, 1),
            weight.transpose(0, 2, 3, 1),
            stride=params.stride,
            padding=([top, left], [bottom, right]),
            kernel_dilation=params.dilation,
            groups=params.groups,
            stream=mx.cpu,
        )
        return (output if bias is None else output + bias).transpose(0, 3, 1, 2)

    return layer
