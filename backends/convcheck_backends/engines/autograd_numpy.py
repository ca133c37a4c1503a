"""autograd (HIPS): https://github.com/HIPS/autograd, `autograd.scipy.signal.convolve`.

It convolves along axes; padding, stride, dilation and groups are steps around that, recorded as well, which refuse
nothing; those of dilation are zeros between the taps, which meet what is not finite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import make_vjp
from autograd.scipy.signal import convolve
from numpy.typing import NDArray

from convcheck import PROFILES, Backend, Gradients, ScriptCall
from convcheck_backends.engines.spelling import given, gradients, sides, zero_padded_batches
from convcheck_reference import Conv2dParams

Array = NDArray[Any]


class Autograd(Backend):
    """A convolution for each group, and its gradients by `autograd.make_vjp`."""

    name = "autograd"
    capabilities = zero_padded_batches(
        dtypes=("float32", "float64"),
        gradients=True,
        validates=False,
        profiles={
            "float32": replace(PROFILES["fp32-strict"], name="", spreads_nan=True),
            "float64": replace(PROFILES["fp64-strict"], name="", spreads_nan=True),
        },
    )

    def conv2d(self, x: Array, weight: Array, bias: Array | None, params: Conv2dParams) -> Any:
        """The output."""
        return _layer(params)((x, weight, bias))

    def conv2d_backward(
        self, grad_output: Array, x: Array, weight: Array, bias: Array | None, params: Conv2dParams
    ) -> Gradients:
        """The gradients."""
        pull_back, _ = make_vjp(_layer(params))(given(x, weight, bias))
        return gradients(pull_back(grad_output))

    def versions(self) -> dict[str, str]:
        """The library's."""
        return {"autograd": version("autograd")}

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The same steps, of one group."""
        (top, bottom, left, right), params = sides(call.params), call.params
        if params.groups != 1 or params.dilation != (1, 1):
            return ()  # these are no words of autograd's
        names, plus = ", ".join(call.operands), " + bias[:, None, None]" if call.bias else ""
        rows, columns = params.stride
        lines = (
            "import autograd.numpy as anp",
            "from autograd import make_vjp",
            "from autograd.scipy.signal import convolve",
            "def layer(operands):",
            f"    {names} = operands",
            f"    image = anp.pad(x, ((0, 0), (0, 0), ({top}, {bottom}), ({left}, {right})), 'constant')",
            "    taps = weight[:, :, ::-1, ::-1]",
            "    y = convolve(image, taps, axes=([2, 3], [2, 3]), dot_axes=([1], [1]), mode='valid')",
            f"    return y[:, :, ::{rows}, ::{columns}]{plus}",
        )
        if call.quantity == "output":
            return (*lines, f"got = layer(({names}))")
        return (*lines, f"got = make_vjp(layer)(({names}))[0](grad_output)[{call.result}]")


def _layer(params: Conv2dParams) -> Callable[[tuple[Any, ...]], Any]:
    top, bottom, left, right = sides(params)
    (rows, columns), groups = params.stride, params.groups
    taps = _spread(params)

    def layer(operands: tuple[Any, ...]) -> Any:
        x, weight, *bias = operands
        image = anp.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), "constant")
        turned = anp.reshape(weight, (*weight.shape[:2], -1)) @ taps.astype(weight.dtype)
        turned = anp.reshape(turned, (*weight.shape[:2], *params.extent))[:, :, ::-1, ::-1]
        inputs, outputs = weight.shape[1], len(weight) // groups
        parts = [
            convolve(
                image[:, g * inputs : (g + 1) * inputs],
                turned[g * outputs : (g + 1) * outputs],
                axes=([2, 3], [2, 3]),
                dot_axes=([1], [1]),
                mode="valid",
            )
            for g in range(groups)
        ]
        output = anp.concatenate(parts, axis=1)[:, :, ::rows, ::columns]
        return output if not bias or bias[0] is None else output + bias[0][:, None, None]

    return layer


def _spread(params: Conv2dParams) -> Array:
    """A matrix that puts the taps of a filter among the zeros between them."""
    (kernel_h, kernel_w), (rows, columns), (height, width) = params.kernel_size, params.dilation, params.extent
    places = (np.arange(kernel_h)[:, None] * rows * width + np.arange(kernel_w) * columns).ravel()
    return np.asarray(np.arange(height * width) == places[:, None], np.float64)
