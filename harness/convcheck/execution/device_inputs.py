"""The tensors of a call in the memory of a device, surroundings and all: brought in one transfer, compared there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from convcheck.execution.inputs import Buffer, Inputs, address
from convcheck.model.calls import Call, Tensor
from convcheck.plugin.accelerator import Accelerator
from convcheck.plugin.backend import Backend
from convcheck.tensors.layouts import lay_out
from convcheck.tensors.regions import Allocate, exact, heap


@dataclass(frozen=True, slots=True, eq=False)
class DeviceBuffer(Buffer):
    """A tensor in the memory of a device; the array is what is sent there.

    Attributes:
        memory: of the device.
        accelerator: the device.
    """

    memory: Any
    accelerator: Accelerator

    def changes(self) -> tuple[bool, bool]:
        """As of a buffer; bytes come back from the device only if some have changed."""
        if self.accelerator.unchanged([self.memory]):
            return False, False
        self.region.whole[:] = self.accelerator.download(self.memory)
        found = Buffer.changes(self)
        self.accelerator.put([self.region.whole], [self.memory])
        return found


class DeviceInputs(Inputs):
    """The buffers of one call after another on a device.

    Args:
        allocate: where regions come from.
        accelerator: the device.
    """

    def __init__(self, allocate: Allocate, accelerator: Accelerator) -> None:
        # what the pages of the host can do says nothing of a device; under a sanitizer nothing lies around a tensor
        super().__init__(allocate if allocate is exact else heap)
        self._accelerator = accelerator
        self._late: tuple[str, ...] = ()

    def place(self, call: Call, backend: Backend) -> dict[str, Any]:
        """As of inputs. Of a call that is captured in a graph, memory that it takes over is written by `write` only."""
        earlier, taken_over = self._buffers, self._taken_over(call, backend)
        laid = {
            name: lay_out(self._as_it_lies(tensor), self._allocate)
            for name, tensor in call.tensors.items()
            if name not in earlier or earlier[name].tensor is not tensor
        }
        memories = {name: _memory(taken_over.get(name)) for name in laid}
        self._late = tuple([name for name in laid if call.launch == "graph" and name in taken_over])
        now = [name for name in laid if name not in self._late]
        if now:
            arrived = self._accelerator.put([laid[name][1].whole for name in now], [memories[name] for name in now])
            memories.update(zip(now, arrived, strict=True))
        found: dict[str, Buffer] = {}
        for name, tensor in call.tensors.items():
            if name not in laid:
                found[name] = earlier[name]
                continue
            array, region = laid[name]
            memory, before = memories[name], taken_over.get(name)
            offset = address(array) - address(region.whole)
            native = self._accelerator.view(memory, array, offset) if before is None else before.native
            whole = bytearray(region.whole.data)
            found[name] = DeviceBuffer(tensor, array, region, whole, native, True, memory, self._accelerator)
        self._buffers = found
        return self.given

    def write(self) -> None:
        """Write what is not in its place yet, in one transfer."""
        late, self._late = self._late, ()
        if late:
            buffers = [self._buffers[name] for name in late]
            self._accelerator.put([buffer.region.whole for buffer in buffers], [_memory(buffer) for buffer in buffers])

    def changes(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """As of inputs; the device is waited for once, unless something has changed."""
        if self._accelerator.unchanged([_memory(buffer) for buffer in self._buffers.values()]):
            return (), ()
        return super().changes()

    def aliased(self, results: Mapping[str, Any]) -> Iterator[str]:
        """Those that lie in the memory of a tensor on the device; their arrays are copies."""
        owners = {name: self._accelerator.owner(buffer.native) for name, buffer in self._buffers.items()}
        for name, native in results.items():
            with suppress(Exception):  # a result that is no tensor is malformed
                owner = self._accelerator.owner(native)
                yield from (
                    f"{name} with {other}" for other, known in owners.items() if owner is not None and known == owner
                )

    def _as_it_lies(self, tensor: Tensor) -> Tensor:
        return replace(tensor, layout=self._accelerator.layout(tensor.values.shape, tensor.layout))


def _memory(buffer: Buffer | None) -> Any:
    return buffer.memory if isinstance(buffer, DeviceBuffer) else None
