"""tract: https://docs.rs/tract-onnx. It reads an ONNX model and optimizes it for inputs of one shape."""

from __future__ import annotations

from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
import tract
from numpy.typing import NDArray

from convcheck import Backend, Capabilities, Extension
from convcheck_backends.engines.built import Graphs
from convcheck_backends.engines.onnx_models import conv_model
from convcheck_reference import Conv2dParams

Array = NDArray[Any]


class Tract(Backend):
    """A plan for each layer, weight and input size; weight and bias are constants of it."""

    name = "tract"
    capabilities = Capabilities(
        padding_modes=("zeros",),
        unbatched=False,
        constant_weight=True,
        extensions=(Extension.SAME_UPPER, Extension.ASYMMETRIC_PADDING),
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


def _plan(model: bytes) -> Any:
    with NamedTemporaryFile(suffix=".onnx") as file:
        file.write(model)
        file.flush()
        return tract.onnx().load(file.name).into_model().into_runnable()
