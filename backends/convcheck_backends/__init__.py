"""Adapters of engines, each registered through the entry-point group `convcheck.backends`.

Nothing heavy is imported before a backend is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convcheck_backends.compiled import TorchCompile
    from convcheck_backends.numpy_reference import NumpyBackend
    from convcheck_backends.torch_backend import TorchBackend
    from convcheck_backends.torch_engine import (
        TorchCpu,
        TorchCpuChannelsLast,
        TorchCpuNative,
        TorchCuda,
        TorchCudaChannelsLast,
        TorchCudaTf32,
        TorchMps,
        TorchXpu,
    )

__all__ = [
    "NumpyBackend",
    "TorchBackend",
    "TorchCompile",
    "TorchCpu",
    "TorchCpuChannelsLast",
    "TorchCpuNative",
    "TorchCuda",
    "TorchCudaChannelsLast",
    "TorchCudaTf32",
    "TorchMps",
    "TorchXpu",
]

_MODULES = {"NumpyBackend": "numpy_reference", "TorchBackend": "torch_backend", "TorchCompile": "compiled"}

if not TYPE_CHECKING:  # a type checker that saw it would take every name to be public

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'torch_engine')}"), name)


def __dir__() -> list[str]:
    return __all__
