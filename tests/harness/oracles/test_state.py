import numpy as np
import pytest

from altered import CASE, Altered, failing, verdicts
from convcheck import Capabilities, Status
from convcheck_backends import NumpyBackend, TorchCpu

WRONG = {("state", "output", Status.FAIL)}


class Caching(NumpyBackend):
    """Computes once for each key of its arguments, and afterwards returns what it has."""

    def __init__(self, key):
        self.key, self.cache = key, {}

    def conv2d(self, x, weight, bias, params):
        key = self.key(x, weight, bias, params)
        if key not in self.cache:
            self.cache[key] = super().conv2d(x, weight, bias, params)
        return self.cache[key].copy()


class Packing(NumpyBackend):
    """Packs the weight once for each object that it gets, by `id`."""

    def __init__(self):
        self.packed = {}

    def conv2d(self, x, weight, bias, params):
        _, packed = self.packed.setdefault(id(weight), (weight, weight.copy()))
        return super().conv2d(x, packed, bias, params)


class Striding(NumpyBackend):
    """Remembers the stride by the shapes of its tensors."""

    def __init__(self):
        self.layers = {}

    def conv2d(self, x, weight, bias, params):
        known = self.layers.setdefault((x.shape, weight.shape, params.padding), params)
        full = super().conv2d(x, weight, bias, known)
        if known.stride == params.stride:
            return full
        return np.resize(full, params.output_shape(x.shape))


class Precision(NumpyBackend):
    """Computes in the coarsest precision that it was ever asked for."""

    def __init__(self):
        self.coarsest = np.dtype(np.float64)

    def conv2d(self, x, weight, bias, params):
        self.coarsest = min(self.coarsest, x.dtype, key=lambda dtype: dtype.itemsize)
        right = super().conv2d(x, weight, bias, params)
        return right if self.coarsest == x.dtype else np.trunc(right / 4) * 4


class Workspace(NumpyBackend):
    """Pads into a workspace that it clears only when it grows."""

    def __init__(self):
        self.space = np.zeros(0, np.float32)

    def conv2d(self, x, weight, bias, params):
        right = super().conv2d(x, weight, bias, params)
        if right.size > self.space.size:
            self.space = np.zeros(right.size, right.dtype)
            stale = 0
        else:
            stale = self.space[: right.size].reshape(right.shape)
        out = right + stale * (np.arange(right.size).reshape(right.shape) == 0)
        self.space[: right.size] = right.reshape(-1)
        return out


class StaleBackward(NumpyBackend):
    """Keeps the columns of the forward pass for the weight gradient, by the address of x."""

    def __init__(self):
        self.kept = {}

    def conv2d_backward(self, grad_output, x, weight, bias, params):
        kept = self.kept.setdefault(x.ctypes.data, x.copy())
        kept = kept if kept.shape == x.shape else x
        return super().conv2d_backward(grad_output, kept, weight, bias, params)


def own(backend, token=CASE):
    return failing(backend, token, only=("state",))


@pytest.mark.parametrize(
    "backend",
    [
        lambda: Caching(lambda x, *_: (x.ctypes.data, x.shape)),
        lambda: Caching(lambda x, weight, bias, params: (id(x), id(weight), params)),
        lambda: Caching(lambda x, weight, bias, params: (x.tobytes(), params)),
        lambda: Caching(lambda x, weight, bias, params: (x.tobytes(), weight.tobytes(), params)),
        Packing,
        Striding,
        Workspace,
    ],
    ids=[
        "x address",
        "object identity",
        "x contents only",
        "all but the bias",
        "packed weight",
        "stride by shape",
        "workspace",
    ],
)
def test_hidden_state_fails(backend):
    assert own(backend()) == WRONG


def test_what_another_dtype_leaves_behind_fails():
    assert own(Precision(), f"{CASE},dtype=float64") == WRONG
    assert not own(Precision(), CASE)


def test_a_candidate_of_one_dtype_is_asked_for_no_other():
    asked = set()

    class OneDtype(NumpyBackend):
        capabilities = Capabilities(dtypes=("float32",))

        def conv2d(self, x, weight, bias, params):
            asked.add(x.dtype.name)
            return super().conv2d(x, weight, bias, params)

    assert not own(OneDtype())
    assert asked == {"float32"}


def test_a_stale_gradient_fails():
    assert ("state", "grad_weight", Status.FAIL) in own(StaleBackward())


def test_a_stale_result_is_said_to_be_one():
    reasons = [v.reason for v in verdicts(Caching(lambda x, *_: (x.ctypes.data, x.shape)), only=("state",))]
    # which call is the first to meet an address again is the allocator's business
    assert reasons[0].startswith("output is wrong in the call '")
    assert reasons[0].endswith("': it is the result of an earlier call")


def test_an_honest_cache_passes():
    honest = Caching(lambda x, weight, bias, params: (x.tobytes(), x.shape, weight.tobytes(), bias.tobytes(), params))
    assert not own(honest)


@pytest.mark.parametrize("token", [CASE, "v1,x=3x5x6,out=2,k=3,p=same,bias=false", "v1,x=0x2x4x4,out=1,k=1"])
@pytest.mark.parametrize("layouts", ["", ",layout=expanded", ",layout=channels_last", ",layout=sliced"])
def test_what_keeps_no_state_passes(token, layouts):
    for backend in (Altered(), TorchCpu()):
        assert not own(backend, token + layouts)


def test_data_that_tell_no_calls_apart_are_vacuous():
    token = "v1,x=1x1x1x1,out=1,k=1,s=3,p=1,bias=false"  # every window lies in the padding
    found = {v.quantity: v.status for v in verdicts(NumpyBackend(), token, only=("state",))}
    assert found["output"] == found["grad_weight"] == Status.VACUOUS
