"""torch.compile of the convolution: what Inductor makes of it, on the CPU."""

from __future__ import annotations

import shutil
from functools import partial
from typing import Any

import torch

from convcheck import NON_NEGATIVE_STRIDES, Capabilities, Gradients, UnavailableError, differentiate
from convcheck_backends.torch_backend import CPU_PROFILES, apply
from convcheck_backends.torch_engine import TorchCpu
from convcheck_reference import Conv2dParams


class TorchCompile(TorchCpu):
    """The CPU kernels behind `torch.compile`. About two seconds for every new shape.

    No double backward: compiled gradients cannot be differentiated again.

    Raises:
        UnavailableError: Inductor has no C++ compiler here.
    """

    name = "torch-compile"
    function = "torch.compile(torch.nn.functional.conv2d, dynamic=False)"
    capabilities = Capabilities(
        dtypes=("float32", "float64", "float16", "bfloat16"),
        layouts=NON_NEGATIVE_STRIDES,
        gradients=True,
        module=True,
        thread_safe=False,  # what it keeps, and the settings of its compiler, are of one thread
        profiles=CPU_PROFILES,
    )

    def __init__(self) -> None:
        super().__init__()
        if not any(map(shutil.which, ("c++", "g++", "clang++", "cl"))):
            raise UnavailableError("torch.compile needs a C++ compiler on the PATH; install g++ or clang")
        # thread-local settings: they have to be raised in the thread that compiles
        torch._dynamo.config.recompile_limit = 1_000_000  # noqa: SLF001
        torch._dynamo.config.accumulated_recompile_limit = 1_000_000  # noqa: SLF001
        self._params: Conv2dParams | None = None
        self._function: Any = None

    def conv2d(self, x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
        """The output of the compiled function."""
        # recorded for autograd as in the backward pass, so that one compilation serves both
        inputs = [None if t is None else t.detach().requires_grad_() for t in (x, weight, bias)]
        return self._compiled(params)(*inputs).detach()

    def conv2d_backward(
        self, grad_output: Any, x: Any, weight: Any, bias: Any | None, params: Conv2dParams
    ) -> Gradients:
        """The gradients of the compiled function."""
        return differentiate(self._compiled(params), (x, weight, bias), grad_output)

    def _compiled(self, params: Conv2dParams) -> Any:
        if params != self._params or params.arguments != self._params.arguments:
            torch._dynamo.reset()  # type: ignore[no-untyped-call]  # noqa: SLF001  (earlier cases do not come back)
            self._function = torch.compile(partial(apply, params=params), dynamic=False)
            self._params = params
        return self._function
