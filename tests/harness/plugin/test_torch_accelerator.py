"""A device of torch: its CPU goes the whole way; streams and graphs by a stand-in for torch's module of a device."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch

from convcheck import TorchAccelerator
from convcheck.plugin.accelerator import DeviceLostError
from convcheck_reference import DTYPES


class FakeModule:
    """What `torch.cuda` is to an accelerator; writes down what is asked of it."""

    def __init__(self, lost=False):
        self.log, self.lost = [], lost

    def synchronize(self):
        self.log.append("wait")
        if self.lost:
            raise RuntimeError("device-side assert")

    def Stream(self):  # noqa: N802  (torch's name)
        return "another"

    @contextmanager
    def stream(self, stream):
        self.log.append(f"on {stream}")
        yield
        self.log.append("back")

    def _sleep(self, cycles):
        assert cycles > 0
        self.log.append("busy")

    @contextmanager
    def graph(self, graph):
        assert isinstance(graph, FakeModule.CUDAGraph)
        graph.log = self.log
        self.log.append("capture")
        yield
        self.log.append("captured")

    class CUDAGraph:
        def replay(self):
            self.log.append("replay")


def with_module(module):
    accelerator = TorchAccelerator("cpu")
    accelerator.__dict__["_module"] = module
    return accelerator


def contents(*sizes):
    return [np.arange(size, dtype=np.uint8) + 1 for size in sizes]


def test_what_is_put_is_there_in_memory_of_its_own_and_can_be_put_again():
    accelerator = TorchAccelerator("cpu")
    sent = contents(3, 8)
    first, second = accelerator.put(sent, [None, None])
    sent[0][:] = 0
    assert accelerator.download(first).tolist() == [1, 2, 3]
    tensor = accelerator.view(second, np.zeros(2, np.float32), 0)
    (same,) = accelerator.put(contents(8), [second])
    assert same is second
    assert accelerator.owner(tensor) != accelerator.owner(accelerator.view(first, np.zeros(1, np.int8), 0))
    assert accelerator.unchanged([first, second])
    tensor[0] = 0
    assert not accelerator.unchanged([first, second])
    assert accelerator.unchanged([first])
    assert accelerator.unchanged([])


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_come_together_as_they_come_one_by_one(dtype):
    accelerator = TorchAccelerator("cpu")
    plain = torch.arange(24).reshape(2, 3, 4).to(getattr(torch, dtype))
    natives = [plain.transpose(0, 2), torch.tensor(True), plain[:0], plain.conj(), torch.nn.Parameter(torch.ones(2, 3))]
    together = accelerator.arrays(natives)
    for native, array in zip(natives, together, strict=True):
        assert array.shape == tuple(native.shape)
        if dtype != "bfloat16" or native.dtype != torch.bfloat16:
            assert np.array_equal(array, native.detach().numpy(force=True))
    assert together[0].dtype == DTYPES[dtype]
    assert not accelerator.arrays([])


def test_arrays_keep_the_order_of_their_axes():
    plain = torch.arange(120.0).reshape(2, 3, 4, 5)
    natives = [plain, plain.to(memory_format=torch.channels_last), plain[:1].expand(2, 3, 4, 5), torch.tensor(2.0)]
    together = TorchAccelerator("cpu").arrays(natives)
    assert [array.flags.c_contiguous for array in together] == [True, False, False, True]
    assert together[1].transpose(0, 2, 3, 1).flags.c_contiguous
    for native, array in zip(natives, together, strict=True):
        assert np.array_equal(array, native.numpy())


def test_what_is_no_plain_tensor_is_refused():
    with pytest.raises(TypeError, match="returned a list"):
        TorchAccelerator("cpu").arrays([torch.ones(1), [1]])


def test_another_stream_is_busy_before_anything_is_queued_there_and_the_device_is_waited_for():
    module = FakeModule()
    with with_module(module).on_stream():
        module.log.append("call")
    assert module.log == ["wait", "on another", "busy", "call", "back", "wait"]


def test_a_device_that_is_lost_on_another_stream_is_lost():
    with (
        pytest.raises(DeviceLostError, match="RuntimeError: device-side assert"),
        with_module(FakeModule(True)).on_stream(),
    ):
        pytest.fail("nothing is asked of it")


def test_a_call_is_made_once_before_it_is_captured_and_replayed_when_asked_for():
    module = FakeModule()
    results, replay = with_module(module).captured(lambda: module.log.append("call") or "results")
    assert results == "results"
    assert module.log == ["wait", "on another", "call", "back", "wait", "capture", "call", "captured"]
    replay()
    assert module.log[-2:] == ["replay", "wait"]


@pytest.mark.parametrize(
    ("module", "streams", "graphs"), [(torch.cpu, True, False), (torch.mps, False, False), (FakeModule(), True, True)]
)
def test_a_device_says_what_it_has(module, streams, graphs):
    accelerator = with_module(module)
    assert (accelerator.streams, accelerator.graphs) == (streams, graphs)


def test_streams_of_the_cpu_go_the_same_way():
    accelerator = TorchAccelerator("cpu")
    with accelerator.on_stream():
        (memory,) = accelerator.put(contents(4), [None])
    assert accelerator.unchanged([memory])
