"""JAX on the CPU: https://docs.jax.dev/en/latest/_autosummary/jax.lax.conv_general_dilated.html.

XLA documents padding below 0, of two sides, and windows that do not fit
(https://github.com/openxla/xla/blob/main/docs/operation_semantics.md); "SAME" takes a stride.
The bias is added to the result in its dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import lax

from convcheck import PROFILES, Backend, Extension, Gradients, Profile, ProfileKey, ScriptCall
from convcheck_backends.engines.spelling import check_bias, copied_batches, word
from convcheck_reference import Conv2dParams


def _profiles() -> dict[ProfileKey, Profile]:
    """Measured: subnormals are flushed, gradients of groups meet zeros, and that of a bias is summed in its dtype."""
    promised: dict[ProfileKey, Profile] = {
        "float32": PROFILES["fp32-strict"],
        "float64": PROFILES["fp64-strict"],
        "float16": PROFILES["fp16-in-fp32-acc"],
        "bfloat16": PROFILES["bf16-in-fp32-acc"],
        ("float16", "output"): replace(PROFILES["fp16-in-fp32-acc"], rounds_before_bias=True),
        ("bfloat16", "output"): replace(PROFILES["bf16-in-fp32-acc"], rounds_before_bias=True),
        ("float16", "grad_bias"): PROFILES["fp16-acc"],
        ("bfloat16", "grad_bias"): PROFILES["bf16-acc"],
    }
    return {key: replace(each, name="", flushes_subnormals=True, spreads_nan=True) for key, each in promised.items()}


class Jax(Backend):
    """`jax.lax.conv_general_dilated`, and its gradients by `jax.vjp`. XLA compiles for every new shape."""

    name = "jax"
    capabilities = copied_batches(
        dtypes=("float32", "float64", "float16", "bfloat16"),
        gradients=True,
        extensions=(
            Extension.SAME_UPPER,
            Extension.NEGATIVE_PADDING,
            Extension.ASYMMETRIC_PADDING,
            Extension.EMPTY_OUTPUT,
        ),
        profiles=_profiles(),
    )

    def __init__(self) -> None:
        jax.config.update("jax_enable_x64", True)  # without it float64 becomes float32
        self._device = jax.devices("cpu")[0]

    def conv2d(self, x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
        """The output."""
        check_bias(x, weight, bias)
        return _layer(params)(x, weight, bias)

    def conv2d_backward(
        self, grad_output: Any, x: Any, weight: Any, bias: Any | None, params: Conv2dParams
    ) -> Gradients:
        """The gradients."""
        _, pull_back = jax.vjp(_layer(params), x, weight, bias)
        return Gradients(*pull_back(grad_output))

    def to_native(self, array: Any) -> Any:
        """A copy: arrays of JAX never change."""
        return jax.device_put(array.copy(), self._device)

    def to_numpy(self, native: Any) -> Any:
        """The array of a result."""
        return np.asarray(native)

    def versions(self) -> dict[str, str]:
        """The engine's."""
        return {"jax": jax.__version__}

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The convolution, and `jax.vjp` of it."""
        names, plus = ", ".join(call.operands), " + bias[:, None, None]" if call.bias else ""
        padding, params = _padding(call.params), call.params
        lines = (
            "import jax",
            "from jax import lax",
            'jax.config.update("jax_enable_x64", True)',
            "def layer(x, weight, bias=None):",
            f"    return lax.conv_general_dilated(x, weight, {params.stride}, {padding!r}, precision='highest',",
            f"        rhs_dilation={params.dilation}, feature_group_count={params.groups},",
            f"        dimension_numbers=('NCHW', 'OIHW', 'NCHW')){plus}",
            f"{names} = map(jax.numpy.asarray, ({names}))",
        )
        if call.quantity == "output":
            return (*lines, f"got = np.asarray(layer({names}))")
        return (
            *lines,
            f"gradients = jax.vjp(layer, {names})[1](jax.numpy.asarray(grad_output))",
            f"got = np.asarray(gradients[{call.result}])",
        )


def _layer(params: Conv2dParams) -> Callable[..., Any]:
    pads = _padding(params)
    return partial(_conv, strides=params.stride, padding=pads, dilation=params.dilation, groups=params.groups)


def _padding(params: Conv2dParams) -> Any:
    return word(params, "SAME", "VALID") or params.padding


def _conv(x: Any, weight: Any, bias: Any | None, *, strides: Any, padding: Any, dilation: Any, groups: int) -> Any:
    output = lax.conv_general_dilated(
        x,
        weight,
        strides,
        padding,
        rhs_dilation=dilation,
        feature_group_count=groups,
        dimension_numbers=("NCHW", "OIHW", "NCHW"),
        precision=lax.Precision.HIGHEST,
    )
    return output if bias is None else output + bias[:, None, None]
