"""torch as a backend: a class for every device, memory format and kernel library."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import torch

from convcheck import CUDA_PROFILES, NON_NEGATIVE_STRIDES, TF32_PROFILES, Capabilities
from convcheck_backends.torch_backend import TorchBackend


class TorchCpu(TorchBackend):
    """The default kernels of the CPU."""

    name = "torch-cpu"
    device = "cpu"

    @classmethod
    def preload(cls) -> None:
        """Have oneDNN make the kernels of its matrix product, which takes it 35 ms in each process."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # so that none is started
        torch.nn.functional.conv2d(torch.ones(2, 4, 9, 8), torch.ones(6, 2, 3, 2), torch.ones(6), padding=1, groups=2)
        torch.set_num_threads(threads)


class TorchCpuChannelsLast(TorchCpu):
    """The CPU with every tensor in channels_last."""

    name = "torch-cpu-channels-last"
    memory_format = torch.channels_last
    # whatever a case says, its tensors are in one format
    capabilities = replace(TorchCpu.capabilities, memory_format=False)


class TorchCpuNative(TorchCpu):
    """The CPU with torch's own kernels: neither oneDNN nor NNPACK, which transforms batches of 16 and more."""

    name = "torch-cpu-native"
    capabilities = replace(TorchCpu.capabilities, thread_safe=False)  # its settings are those of the whole process
    pinned = (*TorchCpu.pinned, "torch.backends.mkldnn.set_flags(False)", "torch.backends.nnpack.set_flags(False)")

    @contextmanager
    def settings(self) -> Iterator[None]:
        """Both libraries off."""
        onednn: Any = torch.backends.mkldnn.flags
        nnpack: Any = torch.backends.nnpack.flags
        with onednn(enabled=False), nnpack(enabled=False):
            yield


class TorchCuda(TorchBackend):
    """CUDA with TF32 off and deterministic algorithms."""

    name = "torch-cuda"
    device = "cuda"
    allow_tf32: ClassVar[bool] = False
    pinned = (
        "torch.backends.cudnn.allow_tf32 = False",
        "torch.backends.cudnn.benchmark = False",
        "torch.backends.cudnn.deterministic = True",
    )
    capabilities = Capabilities(
        dtypes=("float32", "float64", "float16", "bfloat16"),
        layouts=NON_NEGATIVE_STRIDES,
        gradients=True,
        autograd=True,
        double_backward=True,
        module=True,
        thread_safe=False,  # its settings are those of the whole process
        profiles=CUDA_PROFILES,
    )

    def settings(self) -> AbstractContextManager[Any]:
        """What cuDNN may choose, pinned."""
        flags: AbstractContextManager[Any] = torch.backends.cudnn.flags(  # type: ignore[no-untyped-call]
            enabled=True, benchmark=False, deterministic=True, allow_tf32=self.allow_tf32
        )
        return flags

    def versions(self) -> dict[str, str]:
        """With the versions of CUDA and cuDNN."""
        cuda = {"cuda": str(torch.version.cuda), "cudnn": str(torch.backends.cudnn.version())}
        return {**super().versions(), **cuda, "allow_tf32": str(self.allow_tf32)}


class TorchCudaTf32(TorchCuda):
    """CUDA with TF32 on, torch's default for convolutions."""

    name = "torch-cuda-tf32"
    allow_tf32 = True
    pinned = ("torch.backends.cudnn.allow_tf32 = True", *TorchCuda.pinned[1:])
    capabilities = Capabilities(
        dtypes=("float32",),
        layouts=NON_NEGATIVE_STRIDES,
        gradients=True,
        autograd=True,
        double_backward=True,
        module=True,
        thread_safe=False,
        profiles=TF32_PROFILES,
    )


class TorchCudaChannelsLast(TorchCuda):
    """CUDA with every tensor in channels_last."""

    name = "torch-cuda-channels-last"
    memory_format = torch.channels_last


class TorchMps(TorchBackend):
    """Apple's Metal."""

    name = "torch-mps"
    device = "mps"
    capabilities = Capabilities(
        dtypes=("float32", "float16"),
        layouts=NON_NEGATIVE_STRIDES,
        gradients=True,
        autograd=True,
        double_backward=True,
        module=True,
    )


class TorchXpu(TorchBackend):
    """Intel's GPUs."""

    name = "torch-xpu"
    device = "xpu"
    capabilities = Capabilities(
        dtypes=("float32", "float64", "float16", "bfloat16"),
        layouts=NON_NEGATIVE_STRIDES,
        gradients=True,
        autograd=True,
        double_backward=True,
        module=True,
    )
