"""torch's devices as accelerators; that of the CPU goes the same way, copies and all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from convcheck.model.case import Layout
from convcheck.plugin.accelerator import DeviceLostError
from convcheck.plugin.backend import UnavailableError
from convcheck.plugin.torch_bridge import absence, current, from_torch, plain_tensor

Array = NDArray[Any]
Bytes = NDArray[np.uint8]
Result = TypeVar("Result")

_BUSY: Final = 1 << 25
"""Cycles that another stream is kept busy for: some 20 ms, in which any call has queued its work."""

_IMAGES: Final = 4
"""Dimensions of a batch of images, and of a weight."""

_IN_A_ROW: Final = ("contiguous", "offset", "odd_strides")
"""Layouts without gaps, in the order of the axes."""

_GRAPHS: Final = ("CUDAGraph", "XPUGraph")


@dataclass(slots=True, eq=False)
class _Memory:
    """Bytes of the device, and what they have to be."""

    bytes: Any
    written: Any


class TorchAccelerator:
    """A device of torch.

    Args:
        device: as torch spells it.
        channels_last: whether images and weights lie in that memory format, whatever is asked for.

    Raises:
        UnavailableError: it is absent; the message is the reason.
    """

    def __init__(self, device: str, *, channels_last: bool = False) -> None:
        reason = absence(device)
        if reason:
            raise UnavailableError(reason)
        self._device = device
        self._channels_last = channels_last

    def layout(self, shape: tuple[int, ...], asked: Layout) -> Layout:
        """What `Tensor.contiguous` makes of it, which leaves alone what is in both orders."""
        if not self._channels_last or len(shape) != _IMAGES:
            return asked
        in_both = asked in _IN_A_ROW and (shape[1] == 1 or shape[2:] == (1, 1))
        return asked if in_both else "channels_last"

    def put(self, contents: Sequence[Bytes], memories: Sequence[Any | None]) -> Sequence[Any]:
        """From pinned memory where the device is another; each tensor is a copy, made there."""
        import torch  # noqa: PLC0415  (only where a backend of torch runs)

        host = torch.empty(sum(map(len, contents)), dtype=torch.uint8, pin_memory=self._pins)
        np.concatenate(contents, out=host.numpy())
        arrived = torch.split(host.to(self._device, non_blocking=True, copy=True), list(map(len, contents)))
        return [_written(memory, content) for memory, content in zip(memories, arrived, strict=True)]

    def view(self, memory: Any, array: Array, offset: int) -> Any:
        """A tensor on a part of the bytes."""
        import torch  # noqa: PLC0415

        size = array.itemsize
        end = memory.bytes.numel() - (memory.bytes.numel() - offset) % size
        elements = memory.bytes[offset:end].view(getattr(torch, array.dtype.name))
        strides = [stride // size for stride in array.strides]
        return torch.as_strided(elements, array.shape, strides, elements.storage_offset())

    def unchanged(self, memories: Sequence[Any]) -> bool:
        """Waits for the device."""
        import torch  # noqa: PLC0415

        return not memories or bool(torch.stack([(m.bytes == m.written).all() for m in memories]).all())

    def download(self, memory: Any) -> Bytes:
        """Waits for the device."""
        found: Bytes = memory.bytes.cpu().numpy()
        return found

    def arrays(self, natives: Sequence[Any]) -> Sequence[Array]:
        """The bytes of plain dense tensors in a row, which are told apart again on this side, each in its own order."""
        import torch  # noqa: PLC0415

        found = [plain_tensor(native, self._device).detach().resolve_conj().resolve_neg() for native in natives]
        orders = [_outermost_first(tensor) for tensor in found]
        tensors = [tensor.permute(order) for tensor, order in zip(found, orders, strict=True)]
        if not tensors:
            return []
        packed = torch.cat([tensor.contiguous().reshape(-1).view(torch.uint8) for tensor in tensors])
        host = torch.empty(packed.shape, dtype=torch.uint8, pin_memory=self._pins)
        host.copy_(packed)
        parts = torch.split(host, [tensor.numel() * tensor.element_size() for tensor in tensors])
        # copies are aligned as the dtype asks
        own = [part.clone().view(tensor.dtype) for part, tensor in zip(parts, tensors, strict=True)]
        rows = [from_torch(part.reshape(tensor.shape)) for part, tensor in zip(own, tensors, strict=True)]
        return [row.transpose(np.argsort(order)) for row, order in zip(rows, orders, strict=True)]

    def owner(self, native: Any) -> Any:
        """The address of the storage; nothing lies in that of a tensor without elements."""
        return native.untyped_storage().data_ptr() if native.numel() else None

    def probe(self) -> None:
        """An addition, brought back."""
        import torch  # noqa: PLC0415

        (torch.ones(1, device=self._device) + 1).item()

    @property
    def streams(self) -> bool:
        """Whether torch has them for this kind of device; those of its CPU are one and the same."""
        return hasattr(self._module, "Stream")

    @contextmanager
    def on_stream(self) -> Iterator[None]:
        """One of torch's pool, which does not wait for the default stream; kept busy where torch can do that."""
        self._wait()
        try:
            with self._module.stream(self._other_stream):
                getattr(self._module, "_sleep", _nothing)(_BUSY)
                yield
        finally:
            self._wait()  # for what was launched elsewhere, too

    @property
    def graphs(self) -> bool:
        """Whether torch has them for this kind of device."""
        return any(hasattr(self._module, name) for name in _GRAPHS)

    def captured(self, call: Callable[[], Result]) -> tuple[Result, Callable[[], None]]:
        """As torch's manual has it: warmed up on another stream, then captured."""
        module = self._module
        self._wait()
        with module.stream(self._other_stream):
            call()
        self._wait()
        graph = next(getattr(module, name) for name in _GRAPHS if hasattr(module, name))()
        with current(self._device), module.graph(graph):
            results = call()

        def replay() -> None:
            graph.replay()
            self._wait()

        return results, replay

    def _wait(self) -> None:
        try:
            with current(self._device):
                self._module.synchronize()
        except Exception as lost:
            raise DeviceLostError(f"the device computes nothing more: {type(lost).__name__}: {lost}") from lost

    @cached_property
    def _module(self) -> Any:
        import torch  # noqa: PLC0415

        return getattr(torch, torch.device(self._device).type)

    @cached_property
    def _other_stream(self) -> Any:
        with current(self._device):
            return self._module.Stream()

    @property
    def _pins(self) -> bool:
        """Whether transfers go from and to pinned memory, which asks for a device with streams besides the CPU."""
        return self._device.partition(":")[0] != "cpu" and self.streams


def _written(memory: _Memory | None, content: Any) -> _Memory:
    """Memory of the device that holds what lies there already: the same, or new."""
    if memory is None:
        return _Memory(content.clone(), content)
    memory.bytes.copy_(content)
    memory.written = content
    return memory


def _outermost_first(tensor: Any) -> tuple[int, ...]:
    """The axes of a tensor by their strides, the largest first: in this order a dense one lies in memory."""
    strides = tensor.stride()
    return tuple(sorted(range(len(strides)), key=lambda axis: -strides[axis]))


def _nothing(_: int) -> None:
    """A stream that cannot be kept busy is not."""
