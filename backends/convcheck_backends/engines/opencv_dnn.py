"""OpenCV's module dnn: https://github.com/opencv/opencv/blob/5.x/modules/dnn/include/opencv2/dnn/dnn.hpp.

It reads an ONNX model, in float32, with the weight as a constant. Its layer is that of ONNX, as its source says
(https://github.com/opencv/opencv/blob/5.x/modules/dnn/src/layers/conv2_layer.cpp). Winograd is on unless it is switched
off (enableWinograd); its tiles are F(6, 3), which is the name of the file that has them, conv_winograd_f63.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from convcheck import PROFILES, Backend, Extension, ScriptCall
from convcheck_backends.engines.built import Graphs
from convcheck_backends.engines.onnx_models import conv_model, model_lines
from convcheck_backends.engines.spelling import copied_batches
from convcheck_reference import Conv2dParams

Array = NDArray[Any]


class OpenCvDnn(Backend):
    """A net for each layer, weight and input size.

    Args:
        threads: of the library.
        winograd: 3×3 layers may be computed by Winograd's algorithm.
    """

    name = "opencv-dnn"

    def __init__(self, threads: int = 1, winograd: bool = True) -> None:
        cv2.setNumThreads(threads)
        self._winograd = winograd
        self._nets = Graphs()
        profile = PROFILES["winograd-f6" if winograd else "fp32-strict"]
        self.capabilities = copied_batches(
            constant_weight=True,
            extensions=(Extension.SAME_UPPER,),  # as the operator of ONNX documents it
            thread_safe=False,  # a net has the state of one call
            profiles={"float32": replace(profile, name="", flushes_subnormals=True)},  # the latter was measured
        )

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        """The output of a net that is built once for each model."""
        model = conv_model(params, x, weight, bias, baked=True, fixed=True).SerializeToString()
        net = self._nets.of(model, lambda: self._net(model))
        net.setInput(np.ascontiguousarray(x), "x")
        return net.forward().copy()

    def versions(self) -> dict[str, str]:
        """The library's, and its algorithm."""
        return {"opencv": cv2.__version__, "winograd": "on" if self._winograd else "off"}

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The same net."""
        return (
            "import cv2",
            *model_lines(call, baked=True, fixed=True),
            f"cv2.setNumThreads({cv2.getNumThreads()})",
            "net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))",
            f"net.enableWinograd({self._winograd})",
            "net.setInput(x, 'x')",
            "got = net.forward().copy()",
        )

    def _net(self, model: bytes) -> Any:
        net = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
        net.enableWinograd(self._winograd)
        return net
