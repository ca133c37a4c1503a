import numpy as np
import pytest
import torch

from convcheck import Capabilities, UnavailableError, load
from convcheck.execution import InProcessCandidate
from convcheck.judging.judge import judge_case
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES, Status
from convcheck.plugin.torch_bridge import absence
from convcheck_backends import TorchCpu, TorchCpuChannelsLast, TorchCpuNative
from convcheck_backends.torch_backend import TorchBackend
from convcheck_reference import DTYPES, Conv2dParams

LAYER = Conv2dParams(2, 3, (3, 2), padding=1)
ABSENT = [device for device in ("cuda", "mps", "xpu") if absence(device)]


def tensors(backend, layout=np.ascontiguousarray):
    rng = np.random.default_rng(0)
    shapes = ((2, 2, 5, 6), LAYER.weight_shape, LAYER.bias_shape)
    return [backend.to_native(layout(rng.integers(-3, 4, shape).astype(np.float32))) for shape in shapes]


@pytest.mark.filterwarnings("ignore:TF32 acceleration")
@pytest.mark.parametrize("call", ["conv2d", "conv2d_backward", "make_module"])
def test_what_is_pinned_is_pinned_in_every_call(call, monkeypatch):
    seen = []
    forward = torch.nn.functional.conv2d

    def looking(*arguments, **keywords):
        seen.append(torch.backends.mkldnn.enabled)
        return forward(*arguments, **keywords)

    monkeypatch.setattr(torch.nn.functional, "conv2d", looking)
    for backend, expected in ((TorchCpuNative(), False), (TorchCpu(), True)):
        seen.clear()
        if call == "make_module":
            backend.make_module(in_channels=2, out_channels=3, kernel_size=(3, 2), padding=1)(tensors(backend)[0])
        elif call == "conv2d":
            backend.conv2d(*tensors(backend), LAYER)
        else:
            grad = torch.ones(LAYER.output_shape((2, 2, 5, 6)))
            backend.conv2d_backward(grad, *tensors(backend), LAYER)
        assert seen == [expected]
    assert torch.backends.mkldnn.enabled


def test_a_module_shows_the_parameters_of_its_layer():
    module = TorchCpu().make_module(in_channels=2, out_channels=3, kernel_size=3, bias=False, dtype="float64")
    assert (module.weight.shape, module.weight.dtype, module.bias) == ((3, 2, 3, 3), torch.float64, None)


def test_channels_last_makes_every_tensor_of_four_dimensions_channels_last():
    x, weight, bias = tensors(TorchCpuChannelsLast())
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert bias.is_contiguous()


@pytest.mark.parametrize("dtype", TorchCpu.capabilities.dtypes)
def test_tensors_lie_on_the_memory_of_their_arrays(dtype):
    backend = TorchCpu()
    array = np.arange(12).astype(DTYPES[dtype]).reshape(3, 4)[:, 1:]
    native = backend.to_native(array)
    assert native.dtype == getattr(torch, dtype)
    back = backend.to_numpy(native)
    assert (back.dtype, back.strides) == (array.dtype, array.strides)
    assert np.shares_memory(back, array)


@pytest.mark.parametrize(
    "result", [np.zeros(3), torch.zeros(3).to_sparse(), None, [1.0]], ids=lambda r: type(r).__name__
)
def test_a_result_that_is_no_plain_tensor_is_refused(result):
    with pytest.raises((TypeError, RuntimeError)):
        TorchCpu().to_numpy(result)


def test_a_result_on_another_device_is_refused():
    with pytest.raises(TypeError, match="returned a tensor on meta; expected cpu"):
        TorchCpu().to_numpy(torch.zeros(3, device="meta"))


@pytest.mark.parametrize("device", ABSENT)
def test_an_absent_device_is_said_to_be_absent(device):
    with pytest.raises(UnavailableError, match=f"no {device.upper()} device"):
        load(f"torch-{device}")


@pytest.mark.parametrize("device", [pytest.param(d, marks=pytest.mark.skipif(d in ABSENT, reason=absence(d)))
                                    for d in ("cpu", "cuda", "mps", "xpu")])  # fmt: skip
@pytest.mark.parametrize(
    "token", ["v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x2,g=2", "v1,x=3x5x5,out=2,k=3,p=same,mode=circular"]
)
def test_the_same_code_conforms_on_every_device(device, token):
    class OnDevice(TorchBackend):
        name = f"on-{device}"
        capabilities = Capabilities(gradients=True, double_backward=True, module=True)

    OnDevice.device = device
    verdicts, *_ = judge_case(InProcessCandidate(OnDevice), read(token))
    assert not [v for v in verdicts if v.status in FAILURES]
    assert any(v.status is Status.PASS for v in verdicts)


def test_what_onednn_makes_once_is_made_without_a_thread_that_stays():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        TorchCpu.preload()
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
