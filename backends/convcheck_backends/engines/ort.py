"""ONNX Runtime on the CPU: https://onnxruntime.ai/docs/api/python/api_summary.html.

Padding is by zeros, images come in batches, and `auto_pad` SAME_UPPER takes a stride, as the operator documents
(https://onnx.ai/onnx/operators/onnx__Conv.html). The dtypes are those of the CPU's kernels
(https://github.com/microsoft/onnxruntime/blob/main/docs/OperatorKernels.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import onnxruntime
from numpy.typing import NDArray

from convcheck import Backend, Extension, ScriptCall
from convcheck_backends.engines.built import Graphs
from convcheck_backends.engines.onnx_models import conv_model, model_lines
from convcheck_backends.engines.spelling import zero_padded_batches
from convcheck_reference import Conv2dParams

Array = NDArray[Any]


class OnnxRuntime(Backend):
    """A session for each layer; weight and bias are inputs of it.

    Args:
        threads: of the session.
        baked: weight and bias are constants of the model, which the session may lay out in its own way.
        optimized: the graph is optimized.
    """

    name = "onnxruntime"
    capabilities = zero_padded_batches(
        dtypes=("float32", "float16"),
        extensions=(Extension.SAME_UPPER, Extension.ASYMMETRIC_PADDING),
    )

    def __init__(self, threads: int = 1, baked: bool = False, optimized: bool = True) -> None:
        self._settings = onnxruntime.SessionOptions()
        self._settings.intra_op_num_threads = threads
        self._settings.log_severity_level = 4  # a refusal is raised; it need not be printed as well
        if not optimized:
            self._settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        self._baked = baked
        self._sessions = Graphs()
        self.capabilities = replace(self.capabilities, constant_weight=baked)

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        """The output of a session that is built once for each model."""
        model = conv_model(params, x, weight, bias, baked=self._baked).SerializeToString()
        given = {"x": x, "weight": weight, "bias": bias}
        session = self._sessions.of(model, lambda: self._session(model))
        return session.run(None, {item.name: given[item.name] for item in session.get_inputs()})[0]

    def versions(self) -> dict[str, str]:
        """The engine's, and how the weight reaches it."""
        return {"onnxruntime": onnxruntime.__version__, "weight": "constant" if self._baked else "input"}

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The same model."""
        level = self._settings.graph_optimization_level.name
        return (
            "import onnxruntime",
            *model_lines(call, baked=self._baked),
            "options = onnxruntime.SessionOptions()",
            f"options.intra_op_num_threads = {self._settings.intra_op_num_threads}",
            f"options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.{level}",
            "session = onnxruntime.InferenceSession(model.SerializeToString(), options)",
            "got = session.run(None, given)[0]",
        )

    def _session(self, model: bytes) -> Any:
        return onnxruntime.InferenceSession(model, self._settings, providers=["CPUExecutionProvider"])
