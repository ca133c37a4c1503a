"""OpenVINO on the CPU: https://github.com/openvinotoolkit/openvino/blob/master/docs/articles_en/documentation/openvino-ir-format/operation-sets/operation-specs/convolution/convolution-1.rst.

Groups are an operation of their own, GroupConvolution-1. Pads may differ by side, and are 0 at least. That `auto_pad`
same_upper takes a stride was measured. The precision hint is float32; without it some CPUs may compute in bfloat16
(https://docs.openvino.ai/2025/openvino-workflow/running-inference/optimize-inference/precision-control.html).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino import opset13 as ops

from convcheck import Backend, Extension, ScriptCall
from convcheck_backends.engines.built import Graphs, key_of
from convcheck_backends.engines.spelling import check_bias, copied_batches, given, sides, word
from convcheck_reference import Conv2dParams

Array = NDArray[Any]


class OpenVino(Backend):
    """A compiled model for each layer and its shapes.

    Args:
        threads: of the plug-in.
        baked: weight and bias are constants of the model.
    """

    name = "openvino"

    def __init__(self, threads: int = 1, baked: bool = False) -> None:
        self._core = openvino.Core()
        self._settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}
        self._baked = baked
        self._graphs = Graphs()
        self.capabilities = copied_batches(
            constant_weight=baked,
            extensions=(Extension.SAME_UPPER, Extension.ASYMMETRIC_PADDING),
        )

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        """The output of a model that is compiled once for each layer and its shapes."""
        check_bias(x, weight, bias)
        operands = [np.ascontiguousarray(array) for array in given(x, weight, bias)]
        key = key_of(params, *operands, baked=tuple(operands[1:]) if self._baked else ())
        model = self._graphs.of(key, lambda: self._compiled(operands, params))
        request = model.create_infer_request()
        return request.infer(operands[: len(model.inputs)])[0].copy()

    def versions(self) -> dict[str, str]:
        """The engine's, and how the weight reaches it."""
        return {"openvino": openvino.__version__, "weight": "constant" if self._baked else "input"}

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The same model."""
        params, grouped = call.params, call.params.groups != 1
        taps, kind = ("taps", "group_convolution") if grouped else ("weight_", "convolution")
        form = f"[{params.groups}, len(weight) // {params.groups}, *weight.shape[1:]]"
        nodes = "ops.constant({0})" if self._baked else "ops.parameter({0}.shape, {0}.dtype.type)"
        inputs = call.operands[:1] if self._baked else call.operands
        return (
            "import openvino",
            "from openvino import opset13 as ops",
            "x_ = ops.parameter(x.shape, x.dtype.type)",
            *(f"{name}_ = {nodes.format(name)}" for name in call.operands[1:]),
            *([f"taps = ops.reshape(weight_, np.array({form}), special_zero=False)"] if grouped else []),
            f"y = ops.{kind}(x_, {taps}, {', '.join(map(repr, _layer(params)))})",
            *(["y = ops.add(y, ops.reshape(bias_, np.array([1, -1, 1, 1]), special_zero=False))"] * call.bias),
            f"model = openvino.Model([y], [{', '.join(f'{name}_' for name in inputs)}], 'layer')",
            f"compiled = openvino.Core().compile_model(model, 'CPU', {self._settings})",
            f"got = compiled([{', '.join(inputs)}])[0]",
        )

    def _compiled(self, operands: list[Array], params: Conv2dParams) -> Any:
        inputs = [ops.parameter(array.shape, array.dtype.type) for array in operands]
        constants = [ops.constant(array) for array in operands[1:]] if self._baked else inputs[1:]
        x, weight, *bias = (inputs[0], *constants)
        node = _convolution(x, weight, operands[1].shape, params)
        if bias:
            node = ops.add(node, ops.reshape(bias[0], np.array([1, -1, 1, 1]), special_zero=False))
        model = openvino.Model([node], [inputs[0]] if self._baked else inputs, "layer")
        return self._core.compile_model(model, "CPU", self._settings)


def _convolution(x: Any, weight: Any, shape: tuple[int, ...], params: Conv2dParams) -> Any:
    if params.groups == 1:
        return ops.convolution(x, weight, *_layer(params))
    grouped = [params.groups, shape[0] // params.groups, *shape[1:]]
    return ops.group_convolution(x, ops.reshape(weight, np.array(grouped), special_zero=False), *_layer(params))


def _layer(params: Conv2dParams) -> tuple[Any, ...]:
    auto, begins, ends = word(params, "same_upper", "valid"), [0, 0], [0, 0]
    if auto is None:
        top, bottom, left, right = sides(params)
        begins, ends = [top, left], [bottom, right]
    return [*params.stride], begins, ends, [*params.dilation], auto or "explicit"
