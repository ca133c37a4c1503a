"""An ONNX model of one Conv, for the engines that read such models.

Source: https://onnx.ai/onnx/operators/onnx__Conv.html
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from convcheck import ScriptCall
from convcheck_backends.engines.spelling import word
from convcheck_reference import Conv2dParams

Array = NDArray[Any]

OPSET: Final = 13  # Conv is that of opset 11; releases of engines of some years ago read this one
IR_VERSION: Final = 8


def conv_model(
    params: Conv2dParams, x: Array, weight: Array, bias: Array | None, *, baked: bool = False, fixed: bool = False
) -> ModelProto:
    """A model whose inputs are x, weight and bias.

    Args:
        params: the layer; an illegal one is written as it is, for the engine to refuse.
        x: the input, whose dtype the model has.
        weight: the weight.
        bias: the bias or None.
        baked: weight and bias are part of the model, and no inputs.
        fixed: the model is for inputs of these shapes, not of any.
    """
    given = {"x": x, "weight": weight} | ({} if bias is None else {"bias": bias})
    constants = {name: array for name, array in given.items() if baked and name != "x"}
    node = helper.make_node("Conv", [*given], ["y"], **_attributes(params))
    graph = helper.make_graph(
        [node],
        "layer",
        [_value(name, array, fixed) for name, array in given.items() if name not in constants],
        [helper.make_tensor_value_info("y", _element_type(x), [None] * x.ndim)],
        [numpy_helper.from_array(np.ascontiguousarray(array, array.dtype), name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def model_lines(call: ScriptCall, *, baked: bool = False, fixed: bool = False) -> tuple[str, ...]:
    """The same model in a script, as `model`, and the arrays of its inputs by name, as `given`.

    Args:
        call: the call.
        baked: weight and bias are part of the model.
        fixed: it is for inputs of these shapes.
    """
    names = call.operands[:1] if baked else call.operands
    constants = ", ".join(f"numpy_helper.from_array({name}, {name!r})" for name in call.operands[1:])
    attributes = ", ".join(f"{name}={value!r}" for name, value in _attributes(call.params).items())
    shape = "array.shape" if fixed else "[None] * array.ndim"
    return (
        "from onnx import helper, numpy_helper",
        f"given = {{{', '.join(f'{name!r}: {name}' for name in names)}}}",
        "kind = helper.np_dtype_to_tensor_dtype(x.dtype)",
        f"node = helper.make_node('Conv', {[*call.operands]}, ['y'], {attributes})",
        f"inputs = [helper.make_tensor_value_info(name, kind, {shape}) for name, array in given.items()]",
        "outputs = [helper.make_tensor_value_info('y', kind, [None] * 4)]",
        f"graph = helper.make_graph([node], 'layer', inputs, outputs, [{constants if baked else ''}])",
        f"opset = [helper.make_opsetid('', {OPSET})]",
        f"model = helper.make_model(graph, opset_imports=opset, ir_version={IR_VERSION})",
    )


def _attributes(params: Conv2dParams) -> dict[str, Any]:
    attributes = {
        "kernel_shape": [*params.kernel_size],
        "strides": [*params.stride],
        "dilations": [*params.dilation],
        "group": params.groups,
    }
    if None in (*params.kernel_size, *params.stride, *params.dilation, params.groups):
        raise TypeError(f"{params.arguments}: None would leave out an attribute; expected numbers")
    if auto_pad := word(params, "SAME_UPPER", "VALID"):
        return attributes | {"auto_pad": auto_pad}
    (top, bottom), (left, right) = params.padding
    return attributes | {"pads": [top, left, bottom, right]}


def _value(name: str, array: Array, fixed: bool) -> Any:
    shape = [*array.shape] if fixed else [None] * array.ndim
    return helper.make_tensor_value_info(name, _element_type(array), shape)


def _element_type(array: Array) -> int:
    return int(helper.np_dtype_to_tensor_dtype(array.dtype)) or TensorProto.FLOAT
