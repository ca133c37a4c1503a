"""A LiteRT model of one convolution, written with the classes of its schema.

Source: https://github.com/google-ai-edge/LiteRT/blob/main/tflite/converter/schema/schema.fbs
"""

from __future__ import annotations

from operator import index
from typing import Any, Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from convcheck_backends.engines.spelling import sides
from convcheck_reference import Conv2dParams

Array = NDArray[Any]

_PADDINGS: Final = {"same": schema.Padding.SAME, "valid": schema.Padding.VALID}
_TYPES: Final = {"float32": schema.TensorType.FLOAT32, "int32": schema.TensorType.INT32}


class Graph:
    """A subgraph in the making: its tensors by number, and its operators."""

    def __init__(self) -> None:
        self._model, self._graph = schema.ModelT(), schema.SubGraphT()
        self._model.version, self._model.subgraphs = 3, [self._graph]
        self._model.buffers, self._model.operatorCodes = [schema.BufferT()], []  # the first buffer is that of no tensor
        self._graph.tensors, self._graph.operators = [], []

    def tensor(self, shape: Any, values: Array | None = None) -> int:
        """Add a tensor, a constant if it has values; its number."""
        tensor, buffer = schema.TensorT(), schema.BufferT()
        tensor.shape, tensor.type = [*shape], _TYPES["float32" if values is None else values.dtype.name]
        if values is not None:
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
            tensor.buffer = len(self._model.buffers)
            self._model.buffers.append(buffer)
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def constant(self, values: Array) -> int:
        """Add a constant; its number."""
        return self.tensor(values.shape, values)

    def apply(self, name: str, inputs: list[int], shape: Any, options: Any) -> int:
        """Add an operator; the number of its output."""
        code, operator = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, name)
        code.version = 1
        operator.opcodeIndex = len(self._model.operatorCodes)
        self._model.operatorCodes.append(code)
        operator.inputs, operator.outputs = inputs, [self.tensor(shape)]
        operator.builtinOptions = options
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        self._graph.operators.append(operator)
        return int(operator.outputs[0])

    def packed(self, source: int, result: int) -> bytes:
        """The model as a file."""
        self._graph.inputs, self._graph.outputs = [source], [result]
        builder = flatbuffers.Builder(1024)
        builder.Finish(self._model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def conv_model(params: Conv2dParams, x: Array, weight: Array, bias: Array | None) -> bytes:
    """A model for inputs of one shape, in NHWC order, with weight and bias as constants.

    Padding in numbers is an operator of its own, PAD; a depthwise layer is DEPTHWISE_CONV_2D.
    """
    graph, spelled = Graph(), params.arguments.padding
    batch, channels, height, width = x.shape
    source = last = graph.tensor((batch, height, width, channels))
    if not isinstance(spelled, str):
        top, bottom, left, right = sides(params)
        widths = np.array([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
        shape = (batch, height + top + bottom, width + left + right, channels)
        last = graph.apply("PAD", [last, graph.constant(widths)], shape, schema.PadOptionsT())
    depthwise = params.groups == channels > 1
    options = _depthwise(params) if depthwise else schema.Conv2DOptionsT()
    options.padding = _PADDINGS["valid" if not isinstance(spelled, str) else spelled]
    options.strideH, options.strideW = map(index, params.stride)  # the builder would cut off a fraction
    options.dilationHFactor, options.dilationWFactor = map(index, params.dilation)
    taps = weight.transpose(1, 2, 3, 0) if depthwise else weight.transpose(0, 2, 3, 1)
    shift = np.zeros(len(weight), x.dtype) if bias is None else bias  # its kernels ask for one
    inputs = [last, graph.constant(taps), graph.constant(shift)]
    # the engine finds the sizes itself
    result = graph.apply("DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", inputs, (batch, 1, 1, len(weight)), options)
    return graph.packed(source, result)


def _depthwise(params: Conv2dParams) -> Any:
    options = schema.DepthwiseConv2DOptionsT()
    options.depthMultiplier = params.out_channels // params.in_channels
    return options
