"""torch's devices as accelerators; that of the CPU goes the same way, copies and all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.plugin.backend import UnavailableError
from convcheck.plugin.torch_bridge import absence

Array = NDArray[Any]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class _Memory:
    """Bytes of the device, and what they have to be."""

    bytes: Any
    written: Any


class TorchAccelerator:
    """A device of torch.

    Args:
        device: as torch spells it.

    Raises:
        UnavailableError: it is absent; the message is the reason.
    """

    def __init__(self, device: str) -> None:
        reason = absence(device)
        if reason:
            raise UnavailableError(reason)
        self._device = device

    def upload(self, content: Bytes) -> Any:
        """Two tensors of bytes: what the candidate gets, and a copy to compare it with."""
        import torch  # noqa: PLC0415  (only where a backend of torch runs)

        written = torch.from_numpy(content).to(self._device, copy=True)
        return _Memory(written.clone(), written)

    def view(self, memory: Any, array: Array, offset: int) -> Any:
        """A tensor on a part of the bytes."""
        import torch  # noqa: PLC0415

        size = array.itemsize
        end = memory.bytes.numel() - (memory.bytes.numel() - offset) % size
        elements = memory.bytes[offset:end].view(getattr(torch, array.dtype.name))
        strides = [stride // size for stride in array.strides]
        return torch.as_strided(elements, array.shape, strides, elements.storage_offset())

    def unchanged(self, memory: Any) -> bool:
        """Waits for the device."""
        import torch  # noqa: PLC0415

        return torch.equal(memory.bytes, memory.written)

    def write(self, memory: Any, content: Bytes) -> None:
        """To both copies."""
        import torch  # noqa: PLC0415

        memory.written.copy_(torch.from_numpy(content))
        memory.bytes.copy_(memory.written)

    def download(self, memory: Any) -> Bytes:
        """Waits for the device."""
        found: Bytes = memory.bytes.cpu().numpy()
        return found

    def owner(self, native: Any) -> Any:
        """The address of the storage; nothing lies in that of a tensor without elements."""
        return native.untyped_storage().data_ptr() if native.numel() else None

    def probe(self) -> None:
        """An addition, brought back."""
        import torch  # noqa: PLC0415

        (torch.ones(1, device=self._device) + 1).item()
