"""A device with memory and a queue of its own, as convcheck uses it: tensors lie between canaries there as well."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from convcheck_reference.errors import ConvcheckError

Array = NDArray[Any]
Bytes = NDArray[np.uint8]


class DeviceLostError(ConvcheckError, RuntimeError):
    """The device computes nothing more for this process: an assertion failed there, or memory was touched outside."""


class Accelerator(Protocol):
    """What a backend has that computes on a device; `convcheck.plugin.torch_accelerator` is that of torch.

    Memory is whatever `upload` returns; nothing else looks into it.
    """

    def upload(self, content: Bytes) -> Any:
        """New memory of the device that holds these bytes."""

    def view(self, memory: Any, array: Array, offset: int) -> Any:
        """The tensor in that memory that begins at a byte, with the dtype, shape and strides of an array."""

    def unchanged(self, memory: Any) -> bool:
        """Whether the memory holds what was written there last; compared on the device."""

    def write(self, memory: Any, content: Bytes) -> None:
        """Write other bytes to the same memory."""

    def download(self, memory: Any) -> Bytes:
        """The bytes that the memory holds."""

    def owner(self, native: Any) -> Any:
        """What tells the memory that a tensor lies in from any other; None if that cannot be said."""

    def probe(self) -> None:
        """Compute something and wait for it. Whatever it raises means that the device is lost to this process."""
