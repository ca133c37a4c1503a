"""LiteRT, once TensorFlow Lite: https://ai.google.dev/edge/litert/inference, its interpreter for Python.

Padding is SAME or VALID, and an operator of its own otherwise; SAME takes a stride. With its default delegate, XNNPACK,
most layers are computed by that (https://github.com/google/XNNPACK).
Groups follow from the channels. That subnormals are flushed, and NaN meets zeros that a kernel adds, was measured.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from ai_edge_litert import __version__
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from convcheck import PROFILES, Backend, Extension, ScriptCall
from convcheck_backends.engines.built import Graphs, key_of
from convcheck_backends.engines.litert_models import conv_model
from convcheck_backends.engines.spelling import check_channels, copied_batches, given
from convcheck_reference import Conv2dParams

Array = NDArray[Any]


class LiteRt(Backend):
    """An interpreter for each layer, weight and input size.

    Args:
        threads: of an interpreter.
        xnnpack: the default delegate is used.
    """

    name = "litert"
    capabilities = copied_batches(
        constant_weight=True,
        thread_safe=False,  # an interpreter has the state of one call
        extensions=(Extension.SAME_UPPER, Extension.ASYMMETRIC_PADDING),
        profiles={"float32": replace(PROFILES["fp32-strict"], name="", flushes_subnormals=True, spreads_nan=True)},
    )

    def __init__(self, threads: int = 1, xnnpack: bool = True) -> None:
        self._xnnpack = xnnpack
        kind = OpResolverType.AUTO if xnnpack else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        self._settings = {"num_threads": threads, "experimental_op_resolver_type": kind}
        self._graphs = Graphs()

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        """The output of an interpreter that is made once for each layer."""
        check_channels(weight, params)
        baked = given(x, weight, bias)[1:]
        interpreter = self._graphs.of(
            key_of(params, x, baked=baked), lambda: self._interpreter(conv_model(params, x, weight, bias))
        )
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x.transpose(0, 2, 3, 1))
        interpreter.invoke()
        output = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        return np.ascontiguousarray(output.transpose(0, 3, 1, 2))

    def versions(self) -> dict[str, str]:
        """The engine's, and its delegate."""
        return {"litert": __version__, "delegate": "XNNPACK" if self._xnnpack else "none"}

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The same model, as the bytes of its file."""
        model = conv_model(call.params, call.arrays["x"], call.arrays["weight"], call.arrays.get("bias"))
        kind = "AUTO" if self._xnnpack else "BUILTIN_WITHOUT_DEFAULT_DELEGATES"
        return (
            "import base64",
            "from ai_edge_litert.interpreter import Interpreter, OpResolverType",
            f"model = base64.b64decode({base64.b64encode(model).decode()!r})",
            f"settings = dict(num_threads={self._settings['num_threads']},",
            f"    experimental_op_resolver_type=OpResolverType.{kind})",
            "interpreter = Interpreter(model_content=model, **settings)",
            "interpreter.allocate_tensors()",
            "interpreter.set_tensor(interpreter.get_input_details()[0]['index'], x.transpose(0, 2, 3, 1))",
            "interpreter.invoke()",
            "got = interpreter.get_tensor(interpreter.get_output_details()[0]['index']).transpose(0, 3, 1, 2)",
        )

    def _interpreter(self, model: bytes) -> Any:
        interpreter = Interpreter(model_content=model, **self._settings)
        interpreter.allocate_tensors()
        return interpreter
