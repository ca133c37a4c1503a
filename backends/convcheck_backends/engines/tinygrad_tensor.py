"""tinygrad: https://docs.tinygrad.org/tensor/ops/#tinygrad.Tensor.conv2d. Its CPU device compiles with clang.

Padding may differ by side; there are no words for it, so that 'same' is what it comes to in pixels.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tinygrad import Device, Tensor

from convcheck import Backend, Capabilities, Extension, Gradients, UnavailableError
from convcheck_backends.engines.spelling import sides
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
    capabilities = Capabilities(
        padding_modes=("zeros",),
        gradients=True,
        unbatched=False,
        thread_safe=False,  # what it schedules is kept for the process
        extensions=(Extension.ASYMMETRIC_PADDING,),
    )

    def __init__(self, device: str = "CPU") -> None:
        self._device = device
        try:
            (Tensor([1.0], device=device) + 1).realize()
        except Exception as error:
            raise UnavailableError(f"tinygrad has no device {device} here: {error}; CPU needs clang") from error

    def conv2d(self, x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
        """The output."""
        return _applied(x, weight, bias, params).realize()

    def conv2d_backward(
        self, grad_output: Any, x: Any, weight: Any, bias: Any | None, params: Conv2dParams
    ) -> Gradients:
        """The gradients."""
        operands = [tensor for tensor in (x, weight, bias) if tensor is not None]
        found = _applied(x, weight, bias, params).gradient(*operands, gradient=grad_output)
        Tensor.realize(*found)
        return Gradients(*found, *[None] * (3 - len(found)))

    def to_native(self, array: Array) -> Any:
        """A copy on the device."""
        return Tensor(array.copy(), device=self._device).realize()

    def to_numpy(self, native: Any) -> Any:
        """The array of a result."""
        return np.array(native.numpy())

    def versions(self) -> dict[str, str]:
        """The engine's, with the device."""
        return {"tinygrad": version("tinygrad"), "device": Device.canonicalize(self._device)}


def _applied(x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
    top, bottom, left, right = sides(params)
    return x.conv2d(weight, bias, params.groups, params.stride, params.dilation, (left, right, top, bottom))
