"""The way of a call to a device and back, by stand-ins: torch's CPU as a device, and one whose errors are for good."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from convcheck import TorchAccelerator
from convcheck.cli import app
from convcheck.execution import InProcessCandidate, SubprocessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_block, judge_case
from convcheck.model.calls import Died, Returned
from convcheck.model.token import read
from convcheck.oracles import Trial
from convcheck.plugin.accelerator import DeviceLostError
from convcheck.plugin.registry import load
from convcheck.report import read_record
from convcheck_backends.torch_engine import TorchCpu

PLUGIN = Path(__file__).parents[2] / "plugins" / "fake_device.py"
CASE = "v1,x=2x4x5x6,out=4,k=3,p=1"


class TorchAsDevice(TorchCpu):
    capabilities = replace(
        TorchCpu.capabilities, layouts=("contiguous", "sliced", "transposed"), dtypes=("float32", "float64", "float16")
    )

    def accelerator(self):
        return TorchAccelerator("cpu")


class ChannelsLastAsDevice(TorchAsDevice):
    """What lies beside the weight is written to, in tensors that are placed in channels_last; no weight has one channel."""

    seen = None

    def accelerator(self):
        return TorchAccelerator("cpu", channels_last=True)

    def conv2d(self, x, weight, bias, params):
        self.seen = x, weight
        out = super().conv2d(x, weight, bias, params)
        torch.as_strided(weight, (1,), (1,), weight.storage_offset() - 1).fill_(0.0)
        return out


def fake(name):
    return f"{PLUGIN}:{name}"


def in_process(name):
    return InProcessCandidate(lambda: load(fake(name)))


def calls_of(token, candidate):
    trial = Trial(read(token), candidate.capabilities)
    return list(trial.calls.values())


@pytest.mark.parametrize("make", [TorchAsDevice, lambda: load(fake("OnFakeDevice"))], ids=["torch", "fake"])
def test_what_is_right_on_a_device_is_right_and_nothing_is_a_copy_unseen(make):
    candidate = InProcessCandidate(make)
    cases = generate(candidate.capabilities, run_seed=3, block=1, size=40)
    assert not judge_block(candidate, cases, 1).failures
    outcome = candidate.call(calls_of(CASE, candidate)[0])
    assert isinstance(outcome, Returned)
    assert not outcome.copied


def test_a_call_takes_two_transfers_and_few_waits():
    backend = load(fake("OnFakeDevice"))
    candidate = InProcessCandidate(lambda: backend)
    calls = calls_of(f"{CASE},g=2", candidate)
    candidate.call_all(calls)
    device = backend.accelerator()
    device.transfers = device.waits = 0
    outcomes = candidate.call_all(calls)
    assert {type(outcome) for outcome in outcomes} == {Returned}
    assert device.transfers <= 2 * len(calls)  # tensors there, results back, of which one call has three
    assert device.waits <= 2 * len(calls)  # for results, and to compare


def test_the_results_that_are_no_arrays_are_told_apart_from_those_that_are():
    class Half(type(load(fake("OnFakeDevice")))):
        def conv2d_backward(self, *arguments):
            return super().conv2d_backward(*arguments)._replace(weight="none")

    candidate = InProcessCandidate(Half)
    outcome = candidate.call(calls_of(CASE, candidate)[1])
    assert set(outcome.malformed) == {"grad_weight"}
    assert outcome.arrays["grad_input"].shape == (2, 4, 5, 6)


@pytest.mark.parametrize(
    ("name", "case", "clause"),
    [("WritesBeside", CASE, "C2D-PURE-5"), ("ReturnsItsInput", "v1,x=2x4x5x6,out=4,k=1", "C2D-PURE-1")],
)
def test_what_is_done_to_the_memory_of_a_device_is_seen(name, case, clause):
    verdicts, _, _ = judge_case(in_process(name), read(case))
    assert clause in {c for v in verdicts if v.status == "fail" for c in v.clauses}


def test_torch_writing_beside_its_tensor_is_seen():
    class WritesBeside(TorchAsDevice):
        def conv2d(self, x, weight, bias, params):
            out = super().conv2d(x, weight, bias, params)
            torch.as_strided(x, (1,), (1,), x.storage_offset() - 1).fill_(0.0)
            return out

    candidate = InProcessCandidate(WritesBeside)
    outcome = candidate.call(calls_of(CASE, candidate)[0])
    assert outcome.spilled == ("x",)
    assert not outcome.mutated


def test_tensors_are_placed_in_channels_last_between_canaries():
    backend = ChannelsLastAsDevice()
    candidate = InProcessCandidate(lambda: backend)
    call = calls_of(CASE, candidate)[0]
    assert candidate.call(call).spilled == ("weight",)
    for native, tensor in zip(backend.seen, (call.tensors["x"], call.tensors["weight"]), strict=True):
        assert native.is_contiguous(memory_format=torch.channels_last)
        assert not native.is_contiguous()
        assert np.array_equal(native.numpy(), tensor.values)


@pytest.mark.parametrize(
    ("shape", "asked", "placed"),
    [
        ((2, 3, 4, 5), "contiguous", "channels_last"),
        ((2, 3, 4, 5), "sliced", "channels_last"),
        ((2, 1, 4, 5), "contiguous", "contiguous"),
        ((2, 1, 4, 5), "sliced", "channels_last"),
        ((2, 3, 1, 1), "offset", "offset"),
        ((3, 4, 5), "contiguous", "contiguous"),
    ],
)
def test_a_memory_format_is_what_torch_makes_of_it(shape, asked, placed):
    assert TorchAccelerator("cpu", channels_last=True).layout(shape, asked) == placed
    assert TorchAccelerator("cpu").layout(shape, asked) == asked


def test_an_error_of_the_device_is_for_good_in_one_process():
    candidate = in_process("AssertsInGroups")
    with pytest.raises(DeviceLostError, match="device-side assert"):
        candidate.call(calls_of(f"{CASE},g=2", candidate)[0])


def test_an_error_of_the_device_ends_a_worker_and_the_next_call_has_another():
    candidate = SubprocessCandidate(fake("AssertsInGroups"))
    try:
        grouped, plain = calls_of(f"{CASE},g=2", candidate)[0], calls_of(CASE, candidate)[0]
        died, returned = candidate.call_all((grouped, plain))
    finally:
        candidate.close()
    assert isinstance(died, Died)
    assert died.on_device
    assert "device-side assert triggered" in died.ended
    assert isinstance(returned, Returned)


def test_a_refusal_does_not_end_the_device():
    candidate = in_process("OnFakeDevice")
    verdicts, _, _ = judge_case(candidate, read("v1,x=2x4x5x6,out=4,k=3,s=0"))
    assert {v.status for v in verdicts} == {"pass"}


def test_an_assertion_on_the_device_is_one_finding_with_its_rule(tmp_path):
    command = ["run", "-b", fake("AssertsInGroups"), "--examples", "30", "--workers", "1", "--database", "none"]
    result = CliRunner().invoke(app, [*command, "--reach", "quick", "--report-dir", str(tmp_path), "--name", "r"])
    assert result.exit_code == 1, result.output
    record = read_record(tmp_path / "r")
    (finding,) = [f for f in record.findings if f.status == "crashed"]
    assert "crashed on the device" in finding.verdict.reason
    assert str(finding.diagnosis.failure_condition.rule) == "groups > 1"
    assert len(record.findings) == 1
