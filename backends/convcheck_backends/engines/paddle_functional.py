"""PaddlePaddle on the CPU: https://www.paddlepaddle.org.cn/documentation/docs/en/api/paddle/nn/functional/conv2d_en.html.

Padding may differ by side, and "SAME" takes a stride.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle
from paddle.nn import functional

from convcheck import Backend, Capabilities, Extension, Gradients
from convcheck_backends.engines.spelling import sides
from convcheck_reference import Conv2dParams


class Paddle(Backend):
    """`paddle.nn.functional.conv2d`, and its gradients by `paddle.grad`."""

    name = "paddle"
    capabilities = Capabilities(
        dtypes=("float32", "float64"),
        padding_modes=("zeros",),
        gradients=True,
        unbatched=False,
        extensions=(Extension.SAME_UPPER, Extension.ASYMMETRIC_PADDING),
    )

    def __init__(self) -> None:
        paddle.set_device("cpu")

    def conv2d(self, x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
        """The output."""
        with paddle.no_grad():
            return _applied(params, x, weight, bias)

    def conv2d_backward(
        self, grad_output: Any, x: Any, weight: Any, bias: Any | None, params: Conv2dParams
    ) -> Gradients:
        """The gradients."""
        operands = [tensor.detach() for tensor in (x, weight, bias) if tensor is not None]
        for operand in operands:
            operand.stop_gradient = False
        output = _applied(params, *operands)
        found = paddle.grad(output, operands, grad_output)
        return Gradients(*found, *[None] * (3 - len(found)))

    def to_native(self, array: Any) -> Any:
        """A tensor of its own memory."""
        return paddle.to_tensor(np.ascontiguousarray(array))

    def to_numpy(self, native: Any) -> Any:
        """The array of a result."""
        return native.numpy()

    def versions(self) -> dict[str, str]:
        """The engine's."""
        return {"paddle": paddle.__version__}


def _applied(params: Conv2dParams, x: Any, weight: Any, bias: Any | None = None) -> Any:
    spelled = params.arguments.padding
    padding: Any = spelled.upper() if isinstance(spelled, str) else [*sides(params)]
    return functional.conv2d(
        x, weight, bias, [*params.stride], padding, [*params.dilation], params.groups, data_format="NCHW"
    )
