"""torch beyond eager mode: exported programs, ONNX models that torch writes, and transforms of functions.

Each computes with what `torch_backend.apply` is turned into, on the CPU.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from convcheck import (
    NON_NEGATIVE_STRIDES,
    Backend,
    Capabilities,
    Gradients,
    ScriptCall,
    differentiate,
    to_torch,
    torch_script_lines,
)
from convcheck_backends.engines.built import Graphs, key_of
from convcheck_backends.engines.spelling import given, gradients
from convcheck_backends.torch_backend import CPU_PROFILES, apply
from convcheck_backends.torch_engine import TorchCpu
from convcheck_reference import Conv2dParams


class _Layer(torch.nn.Module):
    """A layer whose weight and bias are inputs."""

    def __init__(self, params: Conv2dParams) -> None:
        super().__init__()
        self._params = params

    def forward(self, x: Any, weight: Any, bias: Any | None = None) -> Any:
        return apply(x, weight, bias, self._params)


_CONV = "torch.nn.functional.conv2d"
_EXPORTED = (
    "class Layer(torch.nn.Module):",
    f"    def forward(self, x, weight, bias, **layer): return {_CONV}(x, weight, bias, **layer)",
    "def program(x, weight, bias, **layer):",
    "    return torch.export.export(Layer(), (x, weight, bias), layer).module()(x, weight, bias, **layer)",
)
_MAPPED = (
    "def mapped(x, weight, bias, **layer):",
    f"    conv = lambda image, weight, bias: {_CONV}(image, weight, bias, **layer)",
    "    return torch.func.vmap(conv, in_dims=(0, None, None))(x, weight, bias)",
)


class TorchExport(TorchCpu):
    """The module of a program that `torch.export.export` makes for a layer and its shapes, with gradients by autograd.

    https://docs.pytorch.org/docs/stable/user_guide/torch_compiler/export.html
    """

    name = "torch-export"
    capabilities = Capabilities(
        dtypes=("float32", "float64", "float16", "bfloat16"),
        layouts=NON_NEGATIVE_STRIDES,
        gradients=True,
        thread_safe=False,  # what traces is one for the process
        profiles=CPU_PROFILES,
    )

    def __init__(self) -> None:
        super().__init__()
        self._graphs = Graphs()

    def conv2d(self, x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
        """The output of the program."""
        with torch.no_grad():
            return self._program(x, weight, bias, params)(x, weight, bias)

    def conv2d_backward(
        self, grad_output: Any, x: Any, weight: Any, bias: Any | None, params: Conv2dParams
    ) -> Gradients:
        """The gradients of the program."""
        return differentiate(self._program(x, weight, bias, params), (x, weight, bias), grad_output)

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The same program; none for other padding than by zeros, which is a step of its own."""
        if call.arguments.padding_mode != "zeros":
            return ()
        return torch_script_lines(call, "program", head=_EXPORTED)

    def _program(self, x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
        key = (key_of(params), *(None if t is None else (t.shape, t.stride(), t.dtype) for t in (x, weight, bias)))
        return self._graphs.of(key, lambda: torch.export.export(_Layer(params), (x, weight, bias)).module())


class TorchOnnx(Backend):
    """The ONNX model that `torch.onnx.export` writes for a layer and its shapes, run by ONNX Runtime.

    https://docs.pytorch.org/docs/stable/onnx_export.html. A second for every new shape.
    """

    name = "torch-onnx"
    capabilities = Capabilities(layouts=NON_NEGATIVE_STRIDES)

    def __init__(self) -> None:
        import onnxruntime  # noqa: PLC0415  (with `onnxscript`, for this backend alone)
        import onnxscript  # noqa: PLC0415

        self._runtime, self._script = onnxruntime, onnxscript
        self._settings = onnxruntime.SessionOptions()
        self._settings.intra_op_num_threads = 1
        self._graphs = Graphs()

    def conv2d(self, x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
        """The output of the model."""
        operands = tuple(t.contiguous() for t in given(x, weight, bias))
        key = (key_of(params), *((t.shape, t.dtype) for t in operands))
        session = self._graphs.of(key, lambda: self._session(operands, params))
        names = (item.name for item in session.get_inputs())
        return session.run(None, {name: t.numpy() for name, t in zip(names, operands, strict=True)})[0]

    def to_native(self, array: Any) -> Any:
        """A tensor on the array's memory."""
        return to_torch(array, "cpu")

    def versions(self) -> dict[str, str]:
        """Those of all that takes part."""
        of = {"torch": torch, "onnxscript": self._script, "onnxruntime": self._runtime}
        return {name: str(module.__version__) for name, module in of.items()}

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The same model; none for other padding than by zeros, which is a step of its own."""
        if call.arguments.padding_mode != "zeros":
            return ()
        names = ", ".join(call.operands)
        return (
            "import onnxruntime",
            "import torch",
            "class Layer(torch.nn.Module):",
            f"    def forward(self, x, weight, bias=None): return {_CONV}(x, weight, bias, {call.keywords})",
            f"operands = tuple(torch.tensor(array) for array in ({names}))",
            "torch.onnx.export(Layer().eval(), operands, 'layer.onnx', dynamo=True, verbose=False)",
            "session = onnxruntime.InferenceSession('layer.onnx')",
            f"got = session.run(None, dict(zip([item.name for item in session.get_inputs()], ({names}))))[0]",
        )

    def _session(self, operands: tuple[Any, ...], params: Conv2dParams) -> Any:
        program = torch.onnx.export(_Layer(params).eval(), operands, dynamo=True, verbose=False)
        assert program is not None
        file = io.BytesIO()
        program.save(file)  # type: ignore[arg-type]
        return self._runtime.InferenceSession(file.getvalue(), self._settings, providers=["CPUExecutionProvider"])


class TorchFunc(TorchCpu):
    """`torch.func`: the output by `vmap` over the images of a batch, the gradients by `vjp`.

    https://docs.pytorch.org/docs/stable/func.html
    """

    name = "torch-func"
    capabilities = replace(
        TorchCpu.capabilities, autograd=False, double_backward=False, module=False, memory_format=False
    )

    def conv2d(self, x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
        """The output."""
        layer = partial(apply, params=params)
        mapped = layer if x.ndim == 3 else torch.func.vmap(layer, in_dims=(0, None, None))
        with torch.no_grad():
            return mapped(x, weight, bias)

    def conv2d_backward(
        self, grad_output: Any, x: Any, weight: Any, bias: Any | None, params: Conv2dParams
    ) -> Gradients:
        """The gradients."""
        pull_back: Any = torch.func.vjp(partial(_applied, params), *given(x, weight, bias))[1]
        return gradients(pull_back(grad_output))

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """The output by `vmap`; gradients are those of the function itself. None where padding is a step of its own."""
        if call.arguments.padding_mode != "zeros":
            return ()
        return (
            torch_script_lines(call, "mapped", head=_MAPPED)
            if call.quantity == "output"
            else super().script_lines(call)
        )


def _applied(params: Conv2dParams, x: Any, weight: Any, bias: Any | None = None) -> Any:
    """The layer, of operands that are all there."""
    return apply(x, weight, bias, params)
