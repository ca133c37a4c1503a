"""The reference evaluator of ONNX, in NumPy: https://onnx.ai/onnx/api/reference.html.

A dilated filter is written out with the zeros between its taps, which meet what is not finite
(https://github.com/onnx/onnx/blob/main/onnx/reference/ops/op_conv.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from convcheck import PROFILES, Backend, Extension, ScriptCall
from convcheck_backends.engines.onnx_models import conv_model, model_lines
from convcheck_backends.engines.spelling import zero_padded_batches
from convcheck_reference import Conv2dParams

Array = NDArray[Any]


class OnnxReference(Backend):
    """The operator Conv, evaluated node by node."""

    name = "onnx-reference"
    capabilities = zero_padded_batches(
        dtypes=("float32", "float64"),
        extensions=(Extension.SAME_UPPER, Extension.ASYMMETRIC_PADDING),
        profiles={
            "float32": replace(PROFILES["fp32-strict"], name="", spreads_nan=True),
            "float64": replace(PROFILES["fp64-strict"], name="", spreads_nan=True),
        },
    )

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        """The output."""
        evaluator = ReferenceEvaluator(conv_model(params, x, weight, bias))
        given = {"x": x, "weight": weight} | ({} if bias is None else {"bias": bias})
        return evaluator.run(None, given)[0]

    def versions(self) -> dict[str, str]:
        """The engine's."""
        return {"onnx": onnx.__version__}

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The same model."""
        return (
            "from onnx.reference import ReferenceEvaluator",
            *model_lines(call),
            "got = ReferenceEvaluator(model).run(None, given)[0]",
        )
