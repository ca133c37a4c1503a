"""A device that is none: its memory is arrays of its own, and an error there is for good, as on a real one."""

import numpy as np

from convcheck import Capabilities
from convcheck_backends import NumpyBackend


class FakeDevice:
    """Memory of its own, and a context that an assertion ends."""

    def __init__(self):
        self.dead = ""
        self.transfers = 0

    def upload(self, content):
        self.transfers += 1
        return [content.copy(), content.copy()]

    def view(self, memory, array, offset):
        return np.ndarray(array.shape, array.dtype, memory[0], offset, array.strides)

    def unchanged(self, memory):
        return bool((memory[0] == memory[1]).all())

    def write(self, memory, content):
        self.transfers += 1
        memory[0][:] = memory[1][:] = content

    def download(self, memory):
        self.transfers += 1
        return memory[0].copy()

    def owner(self, native):
        while native.base is not None:
            native = native.base
        return id(native)

    def probe(self):
        if self.dead:
            raise RuntimeError(self.dead)


class OnFakeDevice(NumpyBackend):
    """The reference on that device."""

    name = "fake-device"
    capabilities = Capabilities(gradients=True, layouts=("contiguous", "sliced", "channels_last", "transposed"))

    def __init__(self):
        self._device = FakeDevice()

    def accelerator(self):
        return self._device

    def conv2d(self, x, weight, bias, params):
        self._device.probe()
        return super().conv2d(x, weight, bias, params)


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
