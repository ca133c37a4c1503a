"""tract: https://docs.rs/tract-onnx. It reads an ONNX model and optimizes it for inputs of one shape.

Its reader takes pads of both sides, and `auto_pad` SAME_UPPER
(https://github.com/sonos/tract/blob/main/onnx/src/ops/nn/mod.rs). That subnormals are flushed was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
import tract
from numpy.typing import NDArray

from convcheck import PROFILES, Backend, Extension, ScriptCall
from convcheck_backends.engines.built import Graphs
from convcheck_backends.engines.onnx_models import conv_model, model_lines
from convcheck_backends.engines.spelling import copied_batches
from convcheck_reference import Conv2dParams

Array = NDArray[Any]


class Tract(Backend):
    """A plan for each layer, weight and input size; weight and bias are constants of it."""

    name = "tract"
    capabilities = copied_batches(
        constant_weight=True,
        extensions=(Extension.SAME_UPPER, Extension.ASYMMETRIC_PADDING),
        profiles={"float32": replace(PROFILES["fp32-strict"], name="", flushes_subnormals=True)},
    )

    def __init__(self) -> None:
        self._graphs = Graphs()

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        """The output of a plan that is made once for each layer."""
        model = conv_model(params, x, weight, bias, baked=True, fixed=True).SerializeToString()
        plan = self._graphs.of(model, lambda: _plan(model))
        return plan.run([np.ascontiguousarray(x)])[0].to_numpy()

    def versions(self) -> dict[str, str]:
        """The engine's."""
        return {"tract": tract.version()}

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The same model, as a file."""
        return (
            "import onnx",
            "import tract",
            *model_lines(call, baked=True, fixed=True),
            "onnx.save(model, 'layer.onnx')",
            "plan = tract.onnx().load('layer.onnx').into_model().into_runnable()",
            "got = plan.run([x])[0].to_numpy()",
        )


def _plan(model: bytes) -> Any:
    with NamedTemporaryFile(suffix=".onnx") as file:
        file.write(model)
        file.flush()
        return tract.onnx().load(file.name).into_model().into_runnable()
