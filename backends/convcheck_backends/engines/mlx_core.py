"""MLX on the CPU: https://ml-explore.github.io/mlx/build/html/python/_autosummary/mlx.core.conv_general.html.

Images and filters are in NHWC order. It has no words for padding, so that 'same' is what it comes to in pixels,
and none for the bias, which is added to the result in its dtype, as in `mlx.nn.Conv2d`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mlx.core as mx
import numpy as np

from convcheck import PROFILES, Backend, Capabilities, Extension, Gradients
from convcheck_backends.engines.spelling import sides
from convcheck_reference import DTYPES, Conv2dParams

_BFLOAT16 = DTYPES["bfloat16"]


class Mlx(Backend):
    """`mlx.core.conv_general`, and its gradients by `mlx.core.vjp`."""

    name = "mlx"
    capabilities = Capabilities(
        dtypes=("float32", "float16", "bfloat16"),
        padding_modes=("zeros",),
        gradients=True,
        unbatched=False,
        thread_safe=False,  # arrays are computed on the stream of the thread that made them
        extensions=(Extension.ASYMMETRIC_PADDING,),
        profiles={
            ("float16", "output"): replace(PROFILES["fp16-in-fp32-acc"], name="", rounds_before_bias=True),
            ("bfloat16", "output"): replace(PROFILES["bf16-in-fp32-acc"], name="", rounds_before_bias=True),
        },
    )

    def conv2d(self, x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
        """The output."""
        operands = (x, weight) if bias is None else (x, weight, bias)
        return _layer(params)(*operands)

    def conv2d_backward(
        self, grad_output: Any, x: Any, weight: Any, bias: Any | None, params: Conv2dParams
    ) -> Gradients:
        """The gradients."""
        operands = [x, weight] if bias is None else [x, weight, bias]
        _, found = mx.vjp(_layer(params), operands, [grad_output])
        return Gradients(*found, *[None] * (3 - len(found)))

    def to_native(self, array: Any) -> Any:
        """A copy; bfloat16 goes by its bits, as NumPy has no such type of its own."""
        return mx.array(array.view(np.uint16)).view(mx.bfloat16) if array.dtype == _BFLOAT16 else mx.array(array)

    def to_numpy(self, native: Any) -> Any:
        """The array of a result, computed by now."""
        return np.array(native.view(mx.uint16)).view(_BFLOAT16) if native.dtype == mx.bfloat16 else np.array(native)

    def versions(self) -> dict[str, str]:
        """The engine's."""
        return {"mlx": mx.__version__}


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
