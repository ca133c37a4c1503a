import sys
from types import ModuleType

import ml_dtypes
import numpy as np
import pytest
import torch

from convcheck import CapabilityError, UnavailableError, capabilities
from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_block
from convcheck.plugin.arrays import arrays_of
from convcheck.plugin.function_backend import FunctionBackend


class Array:
    """As little as an array needs to have."""

    def __init__(self, of, device="cpu"):
        self.of, self.device = of, device

    def __dlpack__(self, **keywords):
        return self.of.__dlpack__()

    def __dlpack_device__(self):
        return self.of.__dlpack_device__()


@pytest.fixture
def package(monkeypatch):
    """A package of arrays of its own, on two devices, the second of which is the CPU's memory as well."""
    module = ModuleType("tiny")
    module.__version__ = "7"
    module.Array = Array
    module.from_dlpack = lambda array: Array(np.from_dlpack(array))

    def asarray(array, *, device="cpu"):
        if device not in ("cpu", "tiny:1"):
            raise ValueError(f"no such device: {device}")
        return Array(np.array(array), device)

    module.asarray = asarray
    monkeypatch.setitem(sys.modules, "tiny", module)
    return module


def conv(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    tensors = [None if t is None else torch.from_dlpack(t.of) for t in (x, weight, bias)]
    return Array(torch.nn.functional.conv2d(*tensors, stride, padding, dilation, groups).numpy(), x.device)


@pytest.mark.parametrize("device", ["cpu", "tiny:1"])
def test_a_function_of_any_package_s_arrays_is_judged(package, device):
    function = capabilities(arrays="tiny", device=device, dtypes=("float32", "float64"))(conv)
    backend = FunctionBackend(function, "tiny")
    assert backend.versions() == {"tiny": "7", "device": device}
    candidate = InProcessCandidate(lambda: backend)
    tally = judge_block(candidate, generate(candidate.capabilities, run_seed=0, block=0, size=40), 0)
    assert not tally.failures
    assert sum(tally.counts.values()) > 200


def test_a_result_has_to_be_of_the_package_and_on_the_device(package):
    arrays = arrays_of("tiny", "tiny:1", ("float32",))
    assert arrays.to_numpy(Array(np.ones(2), "tiny:1")).tolist() == [1.0, 1.0]
    with pytest.raises(TypeError, match=r"returned a numpy.ndarray; expected an array of tiny"):
        arrays.to_numpy(np.zeros(1))
    with pytest.raises(TypeError, match="returned an array on cpu; expected tiny:1"):
        arrays.to_numpy(Array(np.zeros(1)))


def test_an_absent_package_or_device_is_absent_and_says_what_to_do(package, monkeypatch):
    with pytest.raises(
        UnavailableError, match=r"'no_such_package' cannot be imported: .* \(pip install no_such_package\)"
    ):
        arrays_of("no_such_package", "cpu", ())
    with pytest.raises(UnavailableError, match="tiny 7 makes no array on device 'tiny:2': no such device: tiny:2"):
        arrays_of("tiny", "tiny:2", ())
    monkeypatch.setitem(sys.modules, "cupy", None)  # as if it were not installed
    with pytest.raises(UnavailableError, match="pip install cupy-cuda13x, or cupy-cuda12x"):
        arrays_of("cupy", "cuda", ())


def test_what_is_no_package_of_arrays_is_no_declaration():
    with pytest.raises(CapabilityError, match=r"it has no asarray .* subclass convcheck.Backend"):
        arrays_of("math", "cpu", ())
    with pytest.raises(CapabilityError, match="device='gpx' is no device of torch"):
        arrays_of("torch", "gpx", ())


def test_a_dtype_that_the_package_loses_is_not_to_be_declared(package):
    with pytest.raises(CapabilityError, match="bfloat16 does not reach tiny 7 and back"):
        arrays_of("tiny", "cpu", ("bfloat16",))
    package.from_dlpack = lambda array: Array(np.from_dlpack(array).astype(np.float32))
    with pytest.raises(CapabilityError, match="tiny 7 makes float32 of float64; do not declare it"):
        arrays_of("tiny", "cpu", ("float32", "float64"))


@pytest.mark.parametrize("library", ["jax", "mlx"])
def test_a_package_that_is_known_better_has_bfloat16_and_copies(library):
    pytest.importorskip(library)
    arrays = arrays_of(library, "cpu", ("float32", "bfloat16"))
    array = np.array([1.5, -0.0, np.inf], ml_dtypes.bfloat16)
    with arrays.current():
        native = arrays.to_native(array)
    array[0] = 2
    assert arrays.to_numpy(native).tobytes() == np.array([1.5, -0.0, np.inf], ml_dtypes.bfloat16).tobytes()
    assert arrays.versions()[library]


def test_cupy_computes_on_the_device_of_the_number(monkeypatch):
    chosen = []

    class Device:
        def __init__(self, number):
            self.number = number

        def __enter__(self):
            chosen.append(self.number)

        def __exit__(self, *_):
            chosen.pop()

    cupy = ModuleType("cupy")
    cupy.cuda = ModuleType("cuda")
    cupy.cuda.Device = Device
    cupy.asarray = lambda array: Array(np.array(array), tuple(chosen[-1:]))
    cupy.asnumpy = lambda native: native.of
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    backend = FunctionBackend(capabilities(arrays="cupy", device="cuda:1")(conv), "cupy")
    native = backend.to_native(np.ones((1, 1, 1, 1), np.float32))
    assert native.device == (1,)
    assert backend.to_numpy(native).tolist() == [[[[1.0]]]]
    with backend._arrays.current():
        assert chosen == [1]
    with pytest.raises(CapabilityError, match="expected a number after the colon"):
        arrays_of("cupy", "cuda:one", ())
