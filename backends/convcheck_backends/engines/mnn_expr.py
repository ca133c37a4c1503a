"""MNN on the CPU, an expression: https://github.com/alibaba/MNN/blob/master/docs/pymnn/expr.md.

Pairs are (width, height). Padding is the same on both sides, or SAME, which MNN computes. It validates nothing, so that
no illegal layer is put to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import MNN
import numpy as np
from MNN import expr
from numpy.typing import NDArray

from convcheck import PROFILES, Backend, ScriptCall
from convcheck_backends.engines.spelling import copied_batches
from convcheck_reference import Conv2dParams

Array = NDArray[Any]


class Mnn(Backend):
    """`MNN.expr.conv2d`, whose 3×3 layers may be computed by Winograd's algorithm, with tiles that it chooses."""

    name = "mnn"
    capabilities = copied_batches(
        thread_safe=False,  # the executor of expressions is one for the process
        validates=False,
        profiles={"float32": PROFILES["winograd-f6"]},
    )

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        """The output."""
        pads, mode = _padding(params)
        output = expr.conv2d(
            expr.convert(_constant(x), expr.NC4HW4),
            _constant(weight),
            _constant(np.zeros(len(weight), x.dtype) if bias is None else bias),
            [*params.stride[::-1]],
            pads,
            [*params.dilation[::-1]],
            params.groups,
            getattr(expr, mode),
        )
        return np.array(expr.convert(output, expr.NCHW).read())

    def versions(self) -> dict[str, str]:
        """The engine's."""
        return {"mnn": MNN.version()}

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The same expression."""
        (pads, mode), params = _padding(call.params), call.params
        return (
            "from MNN import expr",
            "constant = lambda array: expr.const(array, list(array.shape), expr.NCHW)",
            f"bias = {'bias' if call.bias else 'np.zeros(len(weight), x.dtype)'}",
            "image = expr.convert(constant(x), expr.NC4HW4)",
            "# pairs are (width, height)",
            f"y = expr.conv2d(image, constant(weight), constant(bias), {[*params.stride[::-1]]}, {pads},",
            f"    {[*params.dilation[::-1]]}, {params.groups}, expr.{mode})",
            "got = np.array(expr.convert(y, expr.NCHW).read())",
        )


def _padding(params: Conv2dParams) -> tuple[list[int], str]:
    """Pixels, and the way of padding."""
    spelled = params.arguments.padding
    if isinstance(spelled, str):
        return [0, 0], spelled.upper()
    return [side[0] for side in params.padding[::-1]], "CAFFE"


def _constant(array: Array) -> Any:
    return expr.const(np.ascontiguousarray(array), [*array.shape], expr.NCHW)
