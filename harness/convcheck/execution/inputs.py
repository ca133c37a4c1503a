"""The tensors of a call in memory: new buffers, or those of the call before with new contents."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from convcheck.backend import Backend
from convcheck.calls import Call, Tensor
from convcheck.tensors.layouts import lay_out, unchanged

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Buffer:
    """A tensor in memory.

    Attributes:
        tensor: what was written there.
        array: the memory, as the tensor's layout views it.
        native: what the candidate gets, made of `array`.
    """

    tensor: Tensor
    array: Array
    native: Any


class Inputs:
    """The buffers of one call after another.

    They are held until the next call has its own, so that new memory really is other memory.
    """

    def __init__(self) -> None:
        self._buffers: Mapping[str, Buffer] = {}

    def place(self, call: Call, backend: Backend) -> dict[str, Any]:
        """What the candidate gets for each tensor of `call`, by name. Whatever `to_native` raises is raised."""
        earlier = self._buffers if call.buffers == "reused" else {}
        self._buffers = {name: _place(t, earlier.get(name), backend) for name, t in call.tensors.items()}
        return {name: buffer.native for name, buffer in self._buffers.items()}

    def mutated(self) -> tuple[str, ...]:
        """Names of the tensors whose bytes are no longer those that were written there."""
        return tuple(name for name, b in self._buffers.items() if not unchanged(b.array, b.tensor))


def _place(tensor: Tensor, earlier: Buffer | None, backend: Backend) -> Buffer:
    if earlier is None or not _fits(earlier.tensor, tensor):
        array = lay_out(tensor)
        return Buffer(tensor, array, backend.to_native(array))
    earlier.array[...] = tensor.values
    shared = _shares_memory(earlier, backend)
    return Buffer(tensor, earlier.array, earlier.native if shared else backend.to_native(earlier.array))


def _fits(earlier: Tensor, tensor: Tensor) -> bool:
    return (earlier.values.shape, earlier.values.dtype, earlier.layout) == (
        tensor.values.shape,
        tensor.values.dtype,
        tensor.layout,
    )


def _shares_memory(buffer: Buffer, backend: Backend) -> bool:
    """Whether the native object shows what is written to the array; a copy elsewhere would be stale."""
    if buffer.native is buffer.array:
        return True
    with suppress(Exception):  # a native object that has no array of its own counts as a copy
        seen = backend.to_numpy(buffer.native)
        return seen.ctypes.data == buffer.array.ctypes.data and seen.strides == buffer.array.strides
    return False
