"""Keras 3: https://www.tensorflow.org/api_docs/python/tf/keras/ops/conv, on the backend of one's choice.

Padding is "valid" or "same", so that numbers are a step of their own before the convolution, `keras.ops.pad`. "same"
takes a stride. Groups follow from the channels, as its source has it
(https://github.com/keras-team/keras/blob/master/keras/src/backend/torch/nn.py); its documentation names none.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from convcheck import Backend, Extension, ScriptCall
from convcheck_backends.engines.spelling import check_bias, check_channels, copied_batches, sides
from convcheck_reference import Conv2dParams

Array = NDArray[Any]


class Keras(Backend):
    """`keras.ops.conv`.

    Args:
        backend: of Keras; one for a process.
    """

    name = "keras"
    capabilities = copied_batches(extensions=(Extension.SAME_UPPER, Extension.ASYMMETRIC_PADDING))

    def __init__(self, backend: Literal["torch", "jax", "tensorflow", "openvino"] = "torch") -> None:
        os.environ["KERAS_BACKEND"] = backend  # read when Keras is imported
        import_module(backend)  # so that its absence is named
        self._keras = import_module("keras")
        if (found := self._keras.backend.backend()) != backend:
            raise ValueError(f"backend={backend}: Keras runs on {found} in this process already")

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        """The output."""
        check_channels(weight, params)
        check_bias(x, weight, bias)
        ops, spelled = self._keras.ops, params.arguments.padding
        image = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
        if not isinstance(spelled, str):
            top, bottom, left, right = sides(params)
            image = ops.pad(image, ((0, 0), (top, bottom), (left, right), (0, 0)))
        output = ops.conv(
            image,
            np.ascontiguousarray(weight.transpose(2, 3, 1, 0)),
            strides=params.stride,
            padding=spelled if isinstance(spelled, str) else "valid",
            data_format="channels_last",
            dilation_rate=params.dilation,
        )
        output = output if bias is None else output + np.ascontiguousarray(bias)
        return np.array(self._keras.ops.convert_to_numpy(ops.transpose(output, (0, 3, 1, 2))))

    def versions(self) -> dict[str, str]:
        """The library's, and its backend's name."""
        return {"keras": self._keras.__version__, "backend": self._keras.backend.backend()}

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The same steps."""
        params, spelled = call.params, call.arguments.padding
        padding, steps = spelled if isinstance(spelled, str) else "valid", []
        if not isinstance(spelled, str):
            top, bottom, left, right = sides(params)
            steps = [f"image = keras.ops.pad(image, ((0, 0), ({top}, {bottom}), ({left}, {right}), (0, 0)))"]
        return (
            "import os",
            f"os.environ['KERAS_BACKEND'] = {self._keras.backend.backend()!r}",
            "import keras",
            "image = np.ascontiguousarray(x.transpose(0, 2, 3, 1))",
            *steps,
            "taps = np.ascontiguousarray(weight.transpose(2, 3, 1, 0))",
            f"got = keras.ops.conv(image, taps, strides={params.stride}, padding={padding!r},",
            f"    data_format='channels_last', dilation_rate={params.dilation}){' + bias' if call.bias else ''}",
            "got = keras.ops.convert_to_numpy(got).transpose(0, 3, 1, 2)",
        )
