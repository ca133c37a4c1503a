import math
from contextlib import closing
from pathlib import Path

import pytest
import torch

from convcheck import Status, UnavailableError, load
from convcheck.execution import InProcessCandidate, SubprocessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_block

PLUGINS = Path(__file__).parents[1] / "plugins"
KERNELS = Path(__file__).parents[2] / "benchmarks" / "device_kernels.py"


@pytest.fixture(scope="module", autouse=True)
def interpreter():
    """On the CPU Triton's kernels are interpreted, which has to be said before they are imported."""
    with pytest.MonkeyPatch.context() as patch:
        if not torch.cuda.is_available():
            patch.setenv("TRITON_INTERPRET", "1")
        yield


def small(case):
    """Whether an interpreter has a layer done in milliseconds."""
    if case.violation is not None:
        return True
    return math.prod(case.input_shape) <= 500 and case.arguments.out_channels <= 64 and case.arguments.groups <= 3


def judged(kernel, cases):
    pytest.importorskip("triton")
    # in a process of its own: Triton may have been imported here, and torch does so, before it was told to interpret
    with closing(SubprocessCandidate(f"{PLUGINS / kernel}")) as candidate:
        drawn = generate(candidate.capabilities, run_seed=0, block=0)
        return judge_block(candidate, [case for case in drawn if small(case)][:cases], 0)


def test_a_right_kernel_in_triton_passes():
    tally = judged("my_triton_kernel.py:my_conv", cases=12)
    assert not tally.failures
    assert sum(n for (_, status, _), n in tally.counts.items() if status is Status.PASS) > 80


def test_a_kernel_in_triton_without_the_tail_of_its_reduction_is_found():
    tally = judged("wrong_triton_kernel.py:k_tail", cases=6)
    assert {failure.verdict.quantity for failure in tally.failures} == {"output"}


@pytest.mark.parametrize("name", ["on_default_stream", "in_a_graph"])
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_what_streams_and_graphs_do_to_kernels_of_the_benchmark_they_do_on_a_device_only(name):
    backend = load(f"{KERNELS}:{name}")
    candidate = InProcessCandidate(lambda: backend)
    assert not judge_block(candidate, generate(candidate.capabilities, run_seed=0, block=0, size=14), 0).failures


@pytest.mark.parametrize("kernel", ["my_cuda_kernel.py:my_conv", "wrong_cuda_kernel.py:undilated"])
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_kernel_in_cuda_is_unavailable_without_a_device_or_a_compiler(kernel):
    with pytest.raises(UnavailableError, match=r"no CUDA (device|compiler)"):
        load(f"{PLUGINS / kernel}")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_kernel_in_cuda_passes():
    try:
        backend = load(f"{PLUGINS / 'my_cuda_kernel.py'}:my_conv")
    except UnavailableError as error:
        pytest.skip(str(error))
    candidate = InProcessCandidate(lambda: backend)
    assert not judge_block(candidate, generate(candidate.capabilities, run_seed=0, block=0, size=60), 0).failures
