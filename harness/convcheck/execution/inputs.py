"""The tensors of a call in memory: new buffers, those of the call before with new contents, or the same as before."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Call, Tensor
from convcheck.plugin.accelerator import Accelerator
from convcheck.plugin.backend import Backend
from convcheck.tensors.layouts import lay_out
from convcheck.tensors.regions import Allocate, Region, exact, heap, surrounding_byte

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


@dataclass(frozen=True, slots=True, eq=False)
class DeviceBuffer(Buffer):
    """A tensor in the memory of a device, surroundings and all; the array is what was sent there.

    Attributes:
        memory: of the device.
        accelerator: the device.
    """

    memory: Any
    accelerator: Accelerator

    def changes(self) -> tuple[bool, bool]:
        """As of a buffer; bytes come back from the device only if some have changed."""
        if self.accelerator.unchanged(self.memory):
            return False, False
        self.region.whole[:] = self.accelerator.download(self.memory)
        found = Buffer.changes(self)
        self.accelerator.write(self.memory, self.region.whole)
        return found


class Inputs:
    """The buffers of one call after another.

    They are held until the next call has its own, so that new memory really is other memory.

    Args:
        allocate: where regions come from.
        accelerator: where tensors lie, if not there.
    """

    def __init__(self, allocate: Allocate, accelerator: Accelerator | None = None) -> None:
        # what the pages of the host can do says nothing of a device; under a sanitizer nothing lies around a tensor
        self._allocate = allocate if accelerator is None or allocate is exact else heap
        self._accelerator = accelerator
        self._buffers: Mapping[str, Buffer] = {}

    @property
    def buffers(self) -> Mapping[str, Buffer]:
        """Those of the last call, by name."""
        return self._buffers

    def place(self, call: Call, backend: Backend) -> dict[str, Any]:
        """What the candidate gets for each tensor of `call`, by name. Whatever `to_native` raises is raised."""
        earlier = self._buffers
        constants = ("weight", "bias") if backend.capabilities.constant_weight else ()
        self._buffers = {
            name: self._place(
                tensor, earlier.get(name), backend, reused=call.buffers == "reused" and name not in constants
            )
            for name, tensor in call.tensors.items()
        }
        return {name: _given(buffer) for name, buffer in self._buffers.items()}

    def changes(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The names of the tensors whose elements have changed, and of those around which bytes have; all restored."""
        found = {name: buffer.changes() for name, buffer in self._buffers.items()}
        mutated, spilled = ([name for name, changed in found.items() if changed[which]] for which in (0, 1))
        return tuple(mutated), tuple(spilled)

    def seal(self) -> None:
        """Until `unseal`, the candidate may only read."""
        for buffer in self._buffers.values():
            buffer.region.seal()

    def unseal(self) -> None:
        """Allow us to write again."""
        for buffer in self._buffers.values():
            buffer.region.unseal()

    def _place(self, tensor: Tensor, earlier: Buffer | None, backend: Backend, *, reused: bool) -> Buffer:
        # a copy of the candidate's own may have changed unseen
        if earlier is not None and earlier.tensor is tensor and earlier.shared:
            return earlier
        new = earlier is None or not reused or not _fits(earlier.tensor, tensor)
        if self._accelerator is not None:
            return self._on_device(tensor, None if new else earlier, self._accelerator)
        if earlier is None or new:
            array, region = lay_out(tensor, self._allocate)
            native = backend.to_native(array)
        else:
            array, region = earlier.array, earlier.region
            region.whole.fill(surrounding_byte(tensor.memory))
            array[...] = tensor.values
            native = earlier.native if earlier.shared else backend.to_native(array)
        before = bytearray(region.whole.data)
        return Buffer(tensor, array, region, before, native, _shares_memory(native, array, backend))

    def _on_device(self, tensor: Tensor, earlier: Buffer | None, accelerator: Accelerator) -> Buffer:
        """The tensor in memory of the device: that of an earlier one with new contents, or new."""
        array, region = lay_out(tensor, self._allocate)
        before = bytearray(region.whole.data)
        if isinstance(earlier, DeviceBuffer):
            memory, native = earlier.memory, earlier.native
            accelerator.write(memory, region.whole)
        else:
            memory = accelerator.upload(region.whole)
            native = accelerator.view(memory, array, _address(array) - _address(region.whole))
        return DeviceBuffer(tensor, array, region, before, native, True, memory, accelerator)


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
        return seen.strides == array.strides and _address(seen) == _address(array)
    return False


def _address(array: Array) -> int:
    address, _ = array.__array_interface__["data"]
    return int(address)
