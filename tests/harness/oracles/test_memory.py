import numpy as np
import pytest

from altered import Altered, failing
from convcheck import Status
from convcheck_backends import NumpyBackend, TorchCpu

SMALL = "v1,x=1x2x5x4,out=3,k=3x2,p=1"


class OneBuffer(NumpyBackend):
    """Hands out the same output array for every call of a shape."""

    def __init__(self):
        self.outputs = {}

    def conv2d(self, x, weight, bias, params):
        right = super().conv2d(x, weight, bias, params)
        out = self.outputs.setdefault((right.shape, right.dtype), right)
        out[...] = right
        return out


class Views(NumpyBackend):
    """Computes in the memory of its input."""

    def conv2d(self, x, weight, bias, params):
        right = super().conv2d(x, weight, bias, params)
        return right if right.shape != x.shape else np.copyto(x, right) or x


def test_an_output_buffer_handed_out_twice_fails():
    assert ("memory", "memory", Status.FAIL) in failing(OneBuffer(), SMALL, only=("memory",))


def test_a_result_in_the_memory_of_an_input_fails():
    assert ("memory", "memory", Status.FAIL) in failing(Views(), "v1,x=1x2x5x4,out=2,k=1", only=("memory",))


@pytest.mark.parametrize("backend", [Altered(), TorchCpu()], ids=["numpy", "torch-cpu"])
def test_results_of_their_own_pass(backend):
    assert not failing(backend, SMALL, only=("memory",))
