"""tinygrad: https://docs.tinygrad.org/tensor/ops/#tinygrad.Tensor.conv2d. Its CPU device compiles with clang.

Padding of four numbers differs by side; there are no words for it, so that 'same' is what it comes to in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from time import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tinygrad import Device, Tensor

from convcheck import Backend, Extension, Gradients, ScriptCall, UnavailableError
from convcheck_backends.engines.spelling import copied_batches, given, gradients, sides
from convcheck_reference import Conv2dParams

Array = NDArray[Any]


class Tinygrad(Backend):
    """`Tensor.conv2d`, and its gradients by `Tensor.gradient`.

    Args:
        device: as tinygrad spells it: CPU, or PYTHON, which interprets kernels slowly.

    Raises:
        UnavailableError: the device makes no array here.
    """

    name = "tinygrad"
    capabilities = copied_batches(
        gradients=True,
        thread_safe=False,  # what it schedules is kept for the process
        extensions=(Extension.ASYMMETRIC_PADDING,),
    )

    def __init__(self, device: str = "CPU") -> None:
        self._device = device
        try:
            (Tensor([1.0, 2.0], device=device) * time()).realize()  # a kernel that was not kept from another day
        except Exception as error:
            raise UnavailableError(f"tinygrad has no device {device} here: {error}; CPU needs clang") from error

    def conv2d(self, x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
        """The output."""
        return _applied(x, weight, bias, params).realize()

    def conv2d_backward(
        self, grad_output: Any, x: Any, weight: Any, bias: Any | None, params: Conv2dParams
    ) -> Gradients:
        """The gradients."""
        found = _applied(x, weight, bias, params).gradient(*given(x, weight, bias), gradient=grad_output)
        Tensor.realize(*found)
        return gradients(found)

    def to_native(self, array: Array) -> Any:
        """A copy on the device."""
        return Tensor(array.copy(), device=self._device).realize()

    def to_numpy(self, native: Any) -> Any:
        """The array of a result."""
        return np.array(native.numpy())

    def versions(self) -> dict[str, str]:
        """The engine's, with the device."""
        return {"tinygrad": version("tinygrad"), "device": Device.canonicalize(self._device)}

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The same call, and `Tensor.gradient` of it."""
        (top, bottom, left, right), params = sides(call.params), call.params
        names = (*call.operands, *(["grad_output"] if call.quantity != "output" else []))
        layer = f"{params.groups}, {params.stride}, {params.dilation}, ({left}, {right}, {top}, {bottom})"
        lines = (
            "from tinygrad import Tensor",
            *(f"{name} = Tensor({name}, device={self._device!r})" for name in names),
            f"y = x.conv2d(weight, {'bias' if call.bias else 'None'}, {layer})",
        )
        if call.quantity == "output":
            return (*lines, "got = y.numpy()")
        return (
            *lines,
            f"gradients = y.gradient({', '.join(call.operands)}, gradient=grad_output)",
            "Tensor.realize(*gradients)",
            f"got = gradients[{call.result}].numpy()",
        )


def _applied(x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
    top, bottom, left, right = sides(params)
    return x.conv2d(weight, bias, params.groups, params.stride, params.dilation, (left, right, top, bottom))
