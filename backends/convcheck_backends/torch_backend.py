"""torch as a backend on a device that subclasses choose, with what they pin.

The layer is applied as `torch.nn.Conv2d` applies it (`Conv2d._conv_forward`): zero padding inside the
convolution, every other padding mode as a step of its own before it. Gradients come from autograd.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import torch
from numpy.typing import NDArray
from torch.nn import functional

from convcheck import (
    NON_NEGATIVE_STRIDES,
    PROFILES,
    Accelerator,
    Backend,
    Capabilities,
    ConvcheckError,
    DoubleGradients,
    Gradients,
    Profile,
    ProfileKey,
    ScriptCall,
    TorchAccelerator,
    differentiate,
    differentiate_twice,
    from_torch,
    to_torch,
    torch_script_lines,
)
from convcheck_reference import Conv2dParams

# torch 2.13.0 on CPU, from exact integers: outputs of 16-bit dtypes come from float32 accumulators, their
# gradients pass through sums in the dtype itself (col2im in grad_input, batches in grad_weight); bfloat16
# dot-product instructions flush subnormals whatever the floating-point environment says.
CPU_PROFILES: dict[ProfileKey, Profile] = {
    ("float16", "grad_input"): PROFILES["fp16-acc"],
    ("float16", "grad_weight"): PROFILES["fp16-acc"],
    ("float16", "grad_bias"): PROFILES["fp16-acc"],
    ("bfloat16", "output"): PROFILES["bf16-in-fp32-acc-flushing"],
    ("bfloat16", "grad_input"): PROFILES["bf16-acc-flushing"],
    ("bfloat16", "grad_weight"): PROFILES["bf16-acc-flushing"],
    ("bfloat16", "grad_bias"): PROFILES["bf16-acc-flushing"],
}


_CHANNELS_LAST = (
    "x, weight = (t.contiguous(memory_format=torch.channels_last) if t.ndim == 4 else t for t in (x, weight))",
)
"""What the scripts of a backend in this format do to tensors."""


class TorchBackend(Backend):
    """torch on one device. Subclasses choose it, and what they pin.

    Attributes:
        device: as torch spells it.
        memory_format: of every tensor.
        function: what a script calls.
        pinned: lines of a script that pin what this class pins.

    Raises:
        UnavailableError: the device is absent.
    """

    device: ClassVar[str]
    memory_format: ClassVar[torch.memory_format] = torch.preserve_format
    function: ClassVar[str] = "torch.nn.functional.conv2d"
    pinned: ClassVar[tuple[str, ...]] = ("torch.set_num_threads(1)",)
    capabilities = Capabilities(
        dtypes=("float32", "float64", "float16", "bfloat16", "complex64", "complex128"),
        layouts=NON_NEGATIVE_STRIDES,
        gradients=True,
        autograd=True,
        double_backward=True,
        module=True,
        memory_format=True,
        profiles=CPU_PROFILES,
    )

    def __init__(self) -> None:
        self._device = TorchAccelerator(self.device, channels_last=self.memory_format is torch.channels_last)
        torch.set_num_threads(1)  # several workers share the cores
        if self.device != "cpu":
            self._device.probe()  # a process that is started ahead has its device ready

    def conv2d(self, x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
        """The output, without recording for autograd."""
        with self.settings(), torch.no_grad():
            return apply(x, weight, bias, params)

    def conv2d_backward(
        self, grad_output: Any, x: Any, weight: Any, bias: Any | None, params: Conv2dParams
    ) -> Gradients:
        """The gradients by autograd."""
        with self.settings():
            return differentiate(partial(apply, params=params), (x, weight, bias), grad_output)

    @contextmanager
    def recorded(self, params: Conv2dParams) -> Iterator[Callable[[Any, Any, Any | None], Any]]:
        """The layer, with the settings of this backend."""
        with self.settings():
            yield partial(apply, params=params)

    def conv2d_double_backward(
        self,
        grad_grad_input: Any,
        grad_grad_weight: Any,
        grad_grad_bias: Any | None,
        grad_output: Any,
        x: Any,
        weight: Any,
        bias: Any | None,
        params: Conv2dParams,
    ) -> DoubleGradients:
        """The gradients of the gradients, by autograd."""
        with self.settings():
            return differentiate_twice(
                partial(apply, params=params),
                (x, weight, bias),
                grad_output,
                (grad_grad_input, grad_grad_weight, grad_grad_bias),
            )

    def make_module(self, *, dtype: str = "float32", **constructor_arguments: Any) -> Any:
        """A `torch.nn.Conv2d`, called with the settings of this backend."""
        layer = torch.nn.Conv2d(**constructor_arguments, device=self.device, dtype=getattr(torch, dtype))
        return PinnedModule(layer, self.settings)

    def to_native(self, array: NDArray[Any]) -> Any:
        """A tensor on the device; on the CPU it lies on the array's memory."""
        tensor = to_torch(array, self.device)
        return tensor.contiguous(memory_format=self.memory_format) if self._converts(tensor) else tensor

    def to_numpy(self, native: Any) -> NDArray[Any]:
        """The array of a plain tensor (or parameter) on the right device."""
        return from_torch(native, self.device)

    def all_to_numpy(self, natives: Sequence[Any]) -> Sequence[NDArray[Any]]:
        """In one transfer from a device."""
        return super().all_to_numpy(natives) if self.device == "cpu" else self._device.arrays(natives)

    def accelerator(self) -> Accelerator | None:
        """The device; none for the CPU, on whose memory tensors lie as they are."""
        return None if self.device == "cpu" else self._device

    def settings(self) -> AbstractContextManager[Any]:
        """What is pinned around every call."""
        return nullcontext()

    def versions(self) -> dict[str, str]:
        """Everything outside the arguments that decides the result."""
        return {
            "torch": torch.__version__,
            "threads": str(torch.get_num_threads()),
            "cpu": torch.backends.cpu.get_cpu_capability(),
            "mkldnn": str(torch.backends.mkldnn.is_available()),
            "deterministic": str(torch.are_deterministic_algorithms_enabled()),
        }

    def script_lines(self, call: ScriptCall) -> Sequence[str]:
        """Torch's own function on plain tensors, with what this class pins."""
        spelled, x = call.arguments, "x"
        if spelled.padding_mode != "zeros":
            try:
                (top, bottom), (left, right) = Conv2dParams.of(spelled).padding
            except ConvcheckError:  # it is illegal, and torch.nn.Conv2d alone refuses it
                return ()
            sides = f"({left}, {right}, {top}, {bottom})"
            x = f"torch.nn.functional.pad(x, {sides}, mode={spelled.padding_mode!r})"
            call = replace(call, arguments=replace(spelled, padding=0))
        last = self.memory_format is torch.channels_last
        return torch_script_lines(
            call, self.function, head=self.pinned, device=self.device, then=_CHANNELS_LAST if last else (), x=x
        )

    def _converts(self, tensor: torch.Tensor) -> bool:
        return self.memory_format is torch.channels_last and tensor.ndim == 4


class PinnedModule:
    """A layer whose calls have the settings of a backend around them.

    Args:
        layer: it is called.
        settings: gives what is pinned.
    """

    def __init__(self, layer: torch.nn.Conv2d, settings: Callable[[], AbstractContextManager[Any]]) -> None:
        self._layer = layer
        self._settings = settings

    @property
    def weight(self) -> torch.Tensor:
        """The layer's."""
        return self._layer.weight

    @property
    def bias(self) -> torch.Tensor | None:
        """The layer's."""
        return self._layer.bias

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """The output."""
        with self._settings():
            output: torch.Tensor = self._layer(x)
        return output


def apply(x: Any, weight: Any, bias: Any | None, params: Conv2dParams) -> Any:
    """The layer as `torch.nn.Conv2d._conv_forward` applies it, with the spelling of the caller."""
    spelled = params.arguments
    if spelled.padding_mode != "zeros":
        (top, bottom), (left, right) = params.padding
        x = functional.pad(x, (left, right, top, bottom), mode=spelled.padding_mode)
        return functional.conv2d(x, weight, bias, spelled.stride, 0, spelled.dilation, spelled.groups)
    return functional.conv2d(x, weight, bias, spelled.stride, spelled.padding, spelled.dilation, spelled.groups)
