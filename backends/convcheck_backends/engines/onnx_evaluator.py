"""The reference evaluator of ONNX, in NumPy: https://onnx.ai/onnx/api/reference.html."""

from __future__ import annotations

from typing import Any

import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from convcheck import Backend, Capabilities, Extension
from convcheck_backends.engines.onnx_models import conv_model
from convcheck_reference import Conv2dParams

Array = NDArray[Any]


class OnnxReference(Backend):
    """The operator Conv, evaluated node by node."""

    name = "onnx-reference"
    capabilities = Capabilities(
        dtypes=("float32", "float64"),
        padding_modes=("zeros",),
        unbatched=False,
        extensions=(
            Extension.SAME_UPPER,
            Extension.NEGATIVE_PADDING,
            Extension.ASYMMETRIC_PADDING,
        ),
    )

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        """The output."""
        evaluator = ReferenceEvaluator(conv_model(params, x, weight, bias))
        given = {"x": x, "weight": weight} | ({} if bias is None else {"bias": bias})
        return evaluator.run(None, given)[0]

    def versions(self) -> dict[str, str]:
        """The engine's."""
        return {"onnx": onnx.__version__}
