"""MNN on the CPU, an expression: https://mnn-docs.readthedocs.io/en/latest/pymnn/expr.html#conv2d.

Pairs are (width, height). Padding is the same on both sides, or SAME, which MNN computes. It validates nothing, so that
no illegal layer is put to it.
"""

from __future__ import annotations

from typing import Any

import MNN
import numpy as np
from MNN import expr
from numpy.typing import NDArray

from convcheck import PROFILES, Backend, Capabilities
from convcheck_reference import Conv2dParams

Array = NDArray[Any]


class Mnn(Backend):
    """`MNN.expr.conv2d`, whose 3×3 layers may be computed by Winograd's algorithm, with tiles that it chooses."""

    name = "mnn"
    capabilities = Capabilities(
        padding_modes=("zeros",),
        unbatched=False,
        thread_safe=False,  # the executor of expressions is one for the process
        validates=False,
        profiles={"float32": PROFILES["winograd-f6"]},
    )

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        """The output."""
        spelled = params.arguments.padding
        pads = [0, 0] if isinstance(spelled, str) else [side[0] for side in params.padding[::-1]]
        output = expr.conv2d(
            expr.convert(_constant(x), expr.NC4HW4),
            _constant(weight),
            _constant(np.zeros(len(weight), x.dtype) if bias is None else bias),
            [*params.stride[::-1]],
            pads,
            [*params.dilation[::-1]],
            params.groups,
            expr.SAME if spelled == "same" else expr.VALID if spelled == "valid" else expr.CAFFE,
        )
        return np.array(expr.convert(output, expr.NCHW).read())

    def versions(self) -> dict[str, str]:
        """The engine's."""
        return {"mnn": MNN.version()}


def _constant(array: Array) -> Any:
    return expr.const(np.ascontiguousarray(array), [*array.shape], expr.NCHW)
