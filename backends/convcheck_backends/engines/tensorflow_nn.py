"""TensorFlow on the CPU: https://www.tensorflow.org/api_docs/python/tf/nn/conv2d.

Images are in NHWC order, filters in HWIO. Padding may differ by side, and "SAME" takes a stride
(https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2). It has no bias, which `tf.nn.bias_add` adds. On
the CPU dilated layers have no gradients, as its error says. That groups follow from the channels, and subnormals are
flushed, was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from convcheck import PROFILES, Backend, Extension, Gradients, ScriptCall
from convcheck_backends.engines.spelling import check_channels, copied_batches, given, gradients, sides, word
from convcheck_reference import Conv2dParams


class TensorFlow(Backend):
    """`tf.nn.conv2d`, and its gradients by `tf.GradientTape`.

    Args:
        gradients: are asked for, of layers that are not dilated; no other is judged then.
    """

    name = "tensorflow"

    def __init__(self, gradients: bool = True) -> None:
        strict = {"float32": PROFILES["fp32-strict"], "float64": PROFILES["fp64-strict"]}
        self.capabilities = copied_batches(
            dtypes=tuple(strict),
            gradients=gradients,
            extensions=(Extension.SAME_UPPER, Extension.ASYMMETRIC_PADDING),
            excludes=("dilation_h > 1 or dilation_w > 1",) if gradients else (),
            profiles={dtype: replace(each, name="", flushes_subnormals=True) for dtype, each in strict.items()},
        )

    def conv2d(self, x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
        """The output."""
        check_channels(weight, params)
        return _layer(params)(*given(x, weight, bias))

    def conv2d_backward(
        self, grad_output: Any, x: Any, weight: Any, bias: Any | None, params: Conv2dParams
    ) -> Gradients:
        """The gradients."""
        operands = given(x, weight, bias)
        with tf.GradientTape() as tape:
            tape.watch(operands)
            output = _layer(params)(*operands)
        return gradients(tape.gradient(output, operands, grad_output))

    def to_native(self, array: Any) -> Any:
        """A tensor of its own memory."""
        return tf.constant(np.ascontiguousarray(array))

    def to_numpy(self, native: Any) -> Any:
        """The array of a result."""
        return native.numpy()

    def versions(self) -> dict[str, str]:
        """The engine's."""
        return {"tensorflow": tf.__version__}

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The same steps, and their gradients."""
        params, names = call.params, ", ".join(call.operands)
        conv = f"tf.nn.conv2d(image, taps, {[*params.stride]}, {_padding(params)!r}, dilations={[*params.dilation]})"
        layer = f"tf.nn.bias_add({conv}, bias)" if call.bias else conv
        lines = (
            "import tensorflow as tf",
            f"{names} = map(tf.constant, ({names}))",
            "with tf.GradientTape() as tape:",
            f"    tape.watch([{names}])",
            "    image, taps = tf.transpose(x, (0, 2, 3, 1)), tf.transpose(weight, (2, 3, 1, 0))",
            f"    y = tf.transpose({layer}, (0, 3, 1, 2))",
        )
        if call.quantity == "output":
            return (*lines, "got = y.numpy()")
        return (*lines, f"got = tape.gradient(y, [{names}], grad_output)[{call.result}].numpy()")


def _padding(params: Conv2dParams) -> Any:
    if said := word(params, "SAME", "VALID"):
        return said
    top, bottom, left, right = sides(params)
    return [[0, 0], [top, bottom], [left, right], [0, 0]]


def _layer(params: Conv2dParams) -> Callable[..., Any]:
    padding = _padding(params)

    def layer(x: Any, weight: Any, bias: Any | None = None) -> Any:
        image, taps = tf.transpose(x, (0, 2, 3, 1)), tf.transpose(weight, (2, 3, 1, 0))
        output = tf.nn.conv2d(image, taps, [*params.stride], padding, dilations=[*params.dilation])
        return tf.transpose(output if bias is None else tf.nn.bias_add(output, bias), (0, 3, 1, 2))

    return layer
