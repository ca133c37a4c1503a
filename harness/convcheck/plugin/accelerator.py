"""A device with memory and a queue of its own, as convcheck uses it: tensors lie between canaries there as well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Layout
from convcheck_reference.errors import ConvcheckError

Array = NDArray[Any]
Bytes = NDArray[np.uint8]
Result = TypeVar("Result")


class DeviceLostError(ConvcheckError, RuntimeError):
    """The device computes nothing more for this process: an assertion failed there, or memory was touched outside."""


class Accelerator(Protocol):
    """What a backend has that computes on a device; `convcheck.plugin.torch_accelerator` is that of torch.

    Memory is whatever `put` returns; nothing else looks into it.
    """

    def layout(self, shape: tuple[int, ...], asked: Layout) -> Layout:
        """The layout in which a tensor is placed: the one that is asked for, unless it has one of its own."""

    def put(self, contents: Sequence[Bytes], memories: Sequence[Any | None]) -> Sequence[Any]:
        """Bring bytes to the device, in one transfer.

        Args:
            contents: at least one.
            memories: where each is written; None for new memory.

        Returns:
            The memory of each.
        """

    def view(self, memory: Any, array: Array, offset: int) -> Any:
        """The tensor in that memory that begins at a byte, with the dtype, shape and strides of an array."""

    def unchanged(self, memories: Sequence[Any]) -> bool:
        """Whether all of them hold what was written there last; compared on the device, which is waited for once."""

    def download(self, memory: Any) -> Bytes:
        """The bytes that the memory holds."""

    def arrays(self, natives: Sequence[Any]) -> Sequence[Array]:
        """The arrays of several tensors on the device, in one transfer.

        Raises:
            TypeError: one of them is something else, or lies elsewhere.
        """

    def owner(self, native: Any) -> Any:
        """What tells the memory that a tensor lies in from any other; None if that cannot be said."""

    def probe(self) -> None:
        """Compute something and wait for it. Whatever it raises means that the device is lost to this process."""

    @property
    def streams(self) -> bool:
        """Whether it has other streams than the default one."""

    def on_stream(self) -> AbstractContextManager[object]:
        """Another stream is the current one within: that of transfers and calls, and it is kept busy at first.

        Waits for the device before and after.

        Raises:
            DeviceLostError: the device computes nothing more.
        """

    @property
    def graphs(self) -> bool:
        """Whether a call can be captured in a graph."""

    def captured(self, call: Callable[[], Result]) -> tuple[Result, Callable[[], None]]:
        """What a call returned as it was captured in a graph, and what replays it, and waits for it.

        The call is made once before. Whatever it raises is raised.
        """


def as_far_as(accelerator: Accelerator | None, declared: Capabilities) -> Capabilities:
    """What a backend declares, of streams and graphs as far as its device has them.

    Args:
        accelerator: the device; None where there is none.
        declared: by the backend.
    """
    if accelerator is None:
        asks = declared.streams or declared.graphs
        return replace(declared, streams=False, graphs=False) if asks else declared
    streams = accelerator.streams and declared.streams is not False
    return replace(declared, streams=streams, graphs=accelerator.graphs and declared.graphs)
