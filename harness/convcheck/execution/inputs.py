"""The tensors of a call in memory: new buffers, those of the call before with new contents, or the same as before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Call, Tensor
from convcheck.plugin.backend import Backend
from convcheck.tensors.layouts import lay_out
from convcheck.tensors.regions import Allocate, Region, surrounding_byte

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Buffer:
    """A tensor in memory.

    Attributes:
        tensor: what was written there.
        array: the memory, as the tensor's layout views it.
        region: the memory, with its surroundings.
        before: the bytes of the region before the call; a bytearray, which is compared with memory without a copy.
        native: what the candidate gets, made of `array`.
        shared: whether it shows what is written to `array`; a copy elsewhere does not.
    """

    tensor: Tensor
    array: Array
    region: Region
    before: bytearray
    native: Any
    shared: bool

    def changes(self) -> tuple[bool, bool]:
        """Whether elements have changed, and whether bytes around or between them have; both are restored."""
        whole = self.region.whole
        if self.before == whole.data:
            return False, False
        mutated = self.array.tobytes() != self.tensor.values.tobytes()
        self.array[...] = self.tensor.values
        spilled = self.before != whole.data
        whole[:] = np.frombuffer(self.before, whole.dtype)
        return mutated, spilled


class Inputs:
    """The buffers of one call after another.

    They are held until the next call has its own, so that new memory really is other memory.

    Args:
        allocate: where regions come from.
    """

    def __init__(self, allocate: Allocate) -> None:
        self._allocate = allocate
        self._buffers: Mapping[str, Buffer] = {}

    @property
    def buffers(self) -> Mapping[str, Buffer]:
        """Those of the last call, by name."""
        return self._buffers

    @property
    def given(self) -> dict[str, Any]:
        """What the candidate gets for each tensor of the last call, by name."""
        return {name: _given(buffer) for name, buffer in self._buffers.items()}

    def place(self, call: Call, backend: Backend) -> dict[str, Any]:
        """What the candidate gets for each tensor of `call`, by name. Whatever `to_native` raises is raised."""
        earlier, taken_over = self._buffers, self._taken_over(call, backend)
        self._buffers = {
            name: self._place(tensor, earlier.get(name), taken_over.get(name), backend)
            for name, tensor in call.tensors.items()
        }
        return self.given

    def write(self) -> None:
        """Write what is not in its place yet."""

    def changes(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The names of the tensors whose elements have changed, and of those around which bytes have; all restored."""
        found = {name: buffer.changes() for name, buffer in self._buffers.items()}
        mutated, spilled = ([name for name, changed in found.items() if changed[which]] for which in (0, 1))
        return tuple(mutated), tuple(spilled)

    def aliased(self, results: Mapping[str, Any]) -> Iterator[str]:
        """The results that lie in the memory of a tensor, where that cannot be seen by their arrays."""
        del results
        yield from ()

    def seal(self) -> None:
        """Until `unseal`, the candidate may only read."""
        for buffer in self._buffers.values():
            buffer.region.seal()

    def unseal(self) -> None:
        """Allow us to write again."""
        for buffer in self._buffers.values():
            buffer.region.unseal()

    def _taken_over(self, call: Call, backend: Backend) -> dict[str, Buffer]:
        """The earlier buffers, by name, whose memory a tensor of `call` takes over."""
        if call.buffers != "reused":
            return {}
        constants = ("weight", "bias") if backend.capabilities.constant_weight else ()
        names = [name for name in call.tensors if name in self._buffers and name not in constants]
        return {name: self._buffers[name] for name in names if _fits(self._buffers[name].tensor, call.tensors[name])}

    def _place(self, tensor: Tensor, earlier: Buffer | None, taken_over: Buffer | None, backend: Backend) -> Buffer:
        # a copy of the candidate's own may have changed unseen
        if earlier is not None and earlier.tensor is tensor and earlier.shared:
            return earlier
        if taken_over is None:
            array, region = lay_out(tensor, self._allocate)
            native = backend.to_native(array)
        else:
            array, region = taken_over.array, taken_over.region
            region.whole.fill(surrounding_byte(tensor.memory))
            array[...] = tensor.values
            native = taken_over.native if taken_over.shared else backend.to_native(array)
        before = bytearray(region.whole.data)
        return Buffer(tensor, array, region, before, native, _shares_memory(native, array, backend))


def _given(buffer: Buffer) -> Any:
    given = buffer.tensor.given
    if given == "tensor":
        return buffer.native
    return None if given == "none" else buffer.tensor.values.tolist()


def _fits(earlier: Tensor, tensor: Tensor) -> bool:
    one, other = earlier.values, tensor.values
    return (one.shape, one.dtype, earlier.layout, earlier.memory) == (
        other.shape,
        other.dtype,
        tensor.layout,
        tensor.memory,
    )


def _shares_memory(native: Any, array: Array, backend: Backend) -> bool:
    if native is array or not array.size:
        return True
    with suppress(Exception):  # a native object that has no array of its own counts as a copy
        seen = backend.to_numpy(native)
        return seen.strides == array.strides and address(seen) == address(array)
    return False


def address(array: Array) -> int:
    """Of the first element of an array."""
    address, _ = array.__array_interface__["data"]
    return int(address)
