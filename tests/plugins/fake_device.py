"""A device that is none: its memory is arrays of its own, what is launched is queued on streams, and an error is for
good, as on a real one.

The default stream is never behind: what is launched there runs at once. What is queued on the other one runs when
somebody waits for it.
"""

from contextlib import contextmanager

import numpy as np

from convcheck import Capabilities, Gradients
from convcheck_backends import NumpyBackend


class FakeDevice:
    """Memory of its own, streams, graphs, and a context that an assertion ends."""

    streams = True
    graphs = True

    def __init__(self):
        self.dead = ""
        self.transfers = self.waits = 0
        self.queue = None
        self.recorded = None

    def put(self, contents, memories):
        self.transfers += 1
        pairs = list(zip(memories, contents, strict=True))
        memories = [[np.zeros_like(c), np.zeros_like(c)] if m is None else m for m, c in pairs]
        for memory, content in zip(memories, contents, strict=True):
            sent = content.copy()
            self.launch(lambda memory=memory, sent=sent: (_copy(sent, memory[0]), _copy(sent, memory[1])))
        return memories

    def layout(self, _shape, asked):
        return asked

    def view(self, memory, array, offset):
        return np.ndarray(array.shape, array.dtype, memory[0], offset, array.strides)

    def unchanged(self, memories):
        self.wait()
        return all((there == written).all() for there, written in memories)

    def download(self, memory):
        self.transfers += 1
        self.wait()
        return memory[0].copy()

    def arrays(self, natives):
        self.transfers += 1
        self.wait()
        if not all(type(native) is np.ndarray for native in natives):
            raise TypeError("no array of this device")
        return [native.copy() for native in natives]

    def owner(self, native):
        while native.base is not None:
            native = native.base
        return id(native)

    def probe(self):
        if self.dead:
            raise RuntimeError(self.dead)

    @contextmanager
    def on_stream(self):
        self.queue = []
        try:
            yield
        finally:
            self.wait()
            self.queue = None

    def captured(self, call):
        call()
        self.recorded = []
        try:
            results, recorded = call(), self.recorded
        finally:
            self.recorded = None

        def replay():
            for kernel in recorded:
                kernel()

        return results, replay

    def launch(self, kernel):
        """Queue a kernel on the current stream."""
        if self.recorded is not None:
            self.recorded.append(kernel)
        elif self.queue is not None:
            self.queue.append(kernel)
        else:
            kernel()

    def wait(self):
        """Until the current stream has done everything."""
        self.waits += 1
        if self.recorded is not None:
            raise RuntimeError("operation not permitted when stream is capturing")
        kernels, self.queue = self.queue or [], self.queue if self.queue is None else []
        for kernel in kernels:
            kernel()


def _copy(source, target):
    target[...] = source


class OnFakeDevice(NumpyBackend):
    """The reference on that device: results are made at once, and written by kernels."""

    name = "fake-device"
    capabilities = Capabilities(
        gradients=True, graphs=True, layouts=("contiguous", "sliced", "channels_last", "transposed")
    )

    def __init__(self):
        self._device = FakeDevice()

    def accelerator(self):
        return self._device

    def to_numpy(self, native):
        self._device.transfers += 1
        self._device.wait()
        return super().to_numpy(native)

    def all_to_numpy(self, natives):
        return self._device.arrays(natives)

    def launch(self, kernel):
        """Where the kernels of this backend are launched."""
        self._device.launch(kernel)

    def conv2d(self, x, weight, bias, params):
        self._device.probe()
        output = super().conv2d(x, weight, bias, params)  # which refuses what is illegal, and has the shape
        compute = super().conv2d
        self._filled((output,), lambda: (compute(x, weight, bias, params),), self.launch)
        return output

    def conv2d_backward(self, grad_output, x, weight, bias, params):
        compute = super().conv2d_backward
        gradients = compute(grad_output, x, weight, bias, params)
        self._filled(gradients, lambda: compute(grad_output, x, weight, bias, params), self.launch_backward)
        return Gradients(*gradients)

    def launch_backward(self, kernel):
        """Where its kernels of gradients are launched."""
        self.launch(kernel)

    def _filled(self, results, compute, launch):
        """Have results written by a kernel; what is there until then is NaN."""
        for result in results:
            if result is not None:
                result.fill(np.nan)

        def kernel():
            for result, computed in zip(results, compute(), strict=True):
                if result is not None:
                    result[...] = computed

        launch(kernel)


class OnDefaultStream(OnFakeDevice):
    """Launches on the default stream, whichever is current."""

    name = "on-default-stream"

    def launch(self, kernel):
        kernel()


class BackwardOnDefaultStream(OnFakeDevice):
    """Launches the kernels of gradients on the default stream."""

    name = "backward-on-default-stream"

    def launch_backward(self, kernel):
        kernel()


class WaitsForTheDevice(OnFakeDevice):
    """Waits for everything before it launches on the default stream: late, and right; no graph can be made of it."""

    name = "waits-for-the-device"

    def launch(self, kernel):
        self._device.wait()
        kernel()


class PacksOutside(OnFakeDevice):
    """Packs the weight in calls that are not captured, and has what is captured use what was packed last."""

    name = "packs-outside"

    def conv2d(self, x, weight, bias, params):
        if self._device.recorded is None and self._device.queue is None:
            self._packed = weight.copy()
        packed = self._packed if self._device.queue is None else weight
        return super().conv2d(x, packed, bias, params)


class AssertsInGroups(OnFakeDevice):
    """An assertion fails on the device in layers with groups, and everything fails after it."""

    name = "asserts-in-groups"

    def conv2d(self, x, weight, bias, params):
        out = super().conv2d(x, weight, bias, params)
        if params.groups > 1:
            self._device.dead = "device-side assert triggered"
            self._device.probe()
        return out


class WritesBeside(OnFakeDevice):
    """Writes the byte before the weight."""

    name = "writes-beside"

    def conv2d(self, x, weight, bias, params):
        out = super().conv2d(x, weight, bias, params)
        if weight.size:
            whole = weight.base
            at = weight.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
            whole[at - 1] = 0
        return out


class ReturnsItsInput(OnFakeDevice):
    """Of 1×1 layers of one channel the output lies in the memory of x."""

    name = "returns-its-input"

    def conv2d(self, x, weight, bias, params):
        out = super().conv2d(x, weight, bias, params)
        if out.shape == x.shape:
            x[...] = out
            return x
        return out
