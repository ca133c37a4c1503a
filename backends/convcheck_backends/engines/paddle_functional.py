"""PaddlePaddle on the CPU: https://www.paddlepaddle.org.cn/documentation/docs/en/api/paddle/nn/functional/conv2d_en.html.

Padding of four numbers differs by side, and "SAME" takes a stride: the output is as large as the input over it, rounded
up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import paddle
from paddle.nn import functional

from convcheck import Backend, Extension, Gradients, ScriptCall
from convcheck_backends.engines.spelling import copied_batches, given, gradients, sides, word
from convcheck_reference import Conv2dParams


class Paddle(Backend):
    """`paddle.nn.functional.conv2d`, and its gradients by `paddle.grad`."""

    name = "paddle"
    capabilities = copied_batches(
        dtypes=("float32", "float64"),
        gradients=True,
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
        operands = [tensor.detach() for tensor in given(x, weight, bias)]
        for operand in operands:
            operand.stop_gradient = False
        output = _applied(params, *operands)
        return gradients(paddle.grad(output, operands, grad_output))

    def to_native(self, array: Any) -> Any:
        """A tensor of its own memory."""
        return paddle.to_tensor(np.ascontiguousarray(array))

    def to_numpy(self, native: Any) -> Any:
        """The array of a result."""
        return native.numpy()

    def versions(self) -> dict[str, str]:
        """The engine's."""
        return {"paddle": paddle.__version__}

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The same call on tensors, and `paddle.grad` of it."""
        params, names = call.params, ", ".join(call.operands)
        padding, layer = _padding(params), f"{[*params.stride]}, {{}}, {[*params.dilation]}, {params.groups}"
        lines = (
            "import paddle",
            "paddle.set_device('cpu')",
            *(f"{name} = paddle.to_tensor({name}, stop_gradient=False)" for name in call.operands),
            f"y = paddle.nn.functional.conv2d({names}{'' if call.bias else ', None'}, {layer.format(repr(padding))})",
        )
        if call.quantity == "output":
            return (*lines, "got = y.numpy()")
        return (
            *lines,
            f"gradients = paddle.grad(y, [{names}], paddle.to_tensor(grad_output))",
            f"got = gradients[{call.result}].numpy()",
        )


def _applied(params: Conv2dParams, x: Any, weight: Any, bias: Any | None = None) -> Any:
    return functional.conv2d(
        x, weight, bias, [*params.stride], _padding(params), [*params.dilation], params.groups, data_format="NCHW"
    )


def _padding(params: Conv2dParams) -> Any:
    return word(params, "SAME", "VALID") or [*sides(params)]
