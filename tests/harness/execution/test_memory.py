"""What a candidate does to memory outside its tensors, with its inputs and with its results, is found and named."""

import textwrap
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import torch

from convcheck import Backend, Capabilities, Gradients, Status
from convcheck.execution import InProcessCandidate, SubprocessCandidate
from convcheck.execution.crash_analysis import explain
from convcheck.judging.judge import judge_case
from convcheck.model.calls import Call, Operation, Returned, Tensor
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.oracles import ORACLES
from convcheck_backends import NumpyBackend
from convcheck_reference import Arguments

CASE = read("v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x0,g=2")


def failing(candidate, case=CASE):
    every_case = [oracle for oracle in ORACLES if oracle.every == 1]
    return [v for v in judge_case(candidate, case, every_case)[0] if v.status in FAILURES]


def found(candidate, case=CASE):
    return {(v.oracle, v.clauses[0], v.status) for v in failing(candidate, case)}


@pytest.fixture
def isolated(tmp_path):
    """A worker whose NumPy kernel does something before it computes what is right."""

    def start(body):
        text = f"""\
import ctypes
import numpy as np
from convcheck import Capabilities
from convcheck_backends import NumpyBackend

class Kernel(NumpyBackend):
    name = "kernel"
    capabilities = Capabilities()

    def conv2d(self, x, weight, bias, params):
        start, end = x.ctypes.data, x.ctypes.data + x.nbytes
{textwrap.indent(textwrap.dedent(body), "        ")}
        return super().conv2d(x, weight, bias, params)
"""
        path = tmp_path / "kernel.py"
        path.write_text(text)
        return closing(SubprocessCandidate(f"{path}:Kernel"))

    return start


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("ctypes.string_at(end, 1)", "it read or wrote beyond the end of x"),
        ("ctypes.string_at(start - 1, 1)", "it read or wrote before the start of x"),
        ("ctypes.memset(end, 0, 1)", "it read or wrote beyond the end of x"),
        ("ctypes.string_at(weight.ctypes.data + weight.nbytes, 4)", "it read or wrote beyond the end of weight"),
        ("weight += 0", "it wrote to weight"),
        ("x.flat[0], x.flat[0] = 5, x.flat[0]", "it wrote to x"),
    ],
)
def test_a_stray_access_is_a_crash_with_a_name(isolated, body, fault):
    with isolated(body) as candidate:
        (verdict, *_) = failing(candidate, replace(CASE, placement="at_end"))
        assert (verdict.oracle, verdict.clauses[0], verdict.status) == ("parity", "C2D-PURE-5", Status.CRASHED)
        assert verdict.reason.startswith(fault)


def test_a_crash_that_has_nothing_to_do_with_memory_is_not_blamed_on_it(isolated):
    with isolated("ctypes.string_at(8, 1)") as candidate:
        assert {v.clauses[-1] for v in failing(candidate)} == {"C2D-PURE-3"}


@pytest.mark.parametrize("layout", ["contiguous", "channels_last", "transposed"])
def test_accesses_within_the_tensors_pass(isolated, layout):
    with isolated("x.sum(), weight.sum(), bias.sum(), ctypes.string_at(start, x.nbytes)") as candidate:
        assert not failing(candidate, replace(CASE, layouts=(layout,) * 3))


def _quiet():
    array = np.ones((1, 1, 2, 2), np.float32)
    return Call(Operation.FORWARD, Arguments(1, 1, 1, bias=False), {"x": Tensor(array), "weight": Tensor(array)})


def test_faults_are_told_apart_by_repetition():
    array = np.ones(4)
    tensors = {"x": Tensor(array, memory="guard_after"), "weight": Tensor(array, memory="guard_after")}
    call = Call(Operation.FORWARD, Arguments(1, 1, 1), tensors)

    def when(condition):
        return explain(call, lambda c: condition({n: t.memory for n, t in c.tensors.items()}))

    assert when(lambda _: True) == ""
    assert when(lambda _: False) == ""
    assert when(lambda m: m["weight"] == "guard_after") == "it read or wrote beyond the end of weight"
    assert when(lambda m: m["weight"] != "heap") == "it wrote to weight"
    assert explain(_quiet(), lambda _: pytest.fail("heap only: nothing to tell")) == ""


class Straying(NumpyBackend):
    """The reference, with a write before it that no value shows."""

    def __init__(self, stray):
        self.stray = stray

    def conv2d(self, x, weight, bias, params):
        result = super().conv2d(x, weight, bias, params)
        self.stray(x, weight)
        return result


def _beyond(array):
    return np.lib.stride_tricks.as_strided(array, (array.size + 1,), (array.itemsize,))


@pytest.mark.parametrize("layout", ["contiguous", "sliced"])
def test_a_write_beside_a_tensor_is_seen_in_process(layout):
    host = InProcessCandidate(
        lambda: Straying(lambda x, _: _beyond(x).__setitem__(-1 if layout == "contiguous" else 6, 0))
    )
    assert ("memory", "C2D-PURE-5", Status.FAIL) in found(host, replace(CASE, layouts=(layout,) * 3))
    assert any("outside x" in v.reason for v in failing(host, replace(CASE, layouts=(layout,) * 3)))


def test_a_write_to_an_input_is_no_write_outside():
    host = InProcessCandidate(lambda: Straying(lambda _, weight: weight.fill(0)))
    assert found(host) == {("contract", "C2D-PURE-1", Status.FAIL)}


def test_a_read_beside_a_tensor_shows_in_the_values_in_process():
    class Leaking(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            return np.fmax(_beyond(x)[-1:], 0).reshape(1, 1, 1, 1)

    array = np.ones((1, 1, 2, 2), np.float32)
    outputs = []
    for memory in ("guard_after", "guard_before"):
        tensors = {"x": Tensor(array, memory=memory), "weight": Tensor(array)}
        call = Call(Operation.FORWARD, Arguments(1, 1, 2, bias=False), tensors)
        outputs.append(InProcessCandidate(Leaking).call(call).arrays["output"].item())
    assert outputs[0] == 0
    assert outputs[1] > 1e20


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (lambda x, _: x[:, :, :1, :1], "output with x"),
        (lambda _, kept: kept, "output with the earlier output"),
    ],
)
def test_a_result_in_somebody_elses_memory_is_seen(result, words):
    class Sharing(NumpyBackend):
        def __init__(self):
            self.kept = np.zeros((2, 6, 4, 5), np.float32)

        def conv2d(self, x, weight, bias, params):
            return result(x, self.kept)

    verdicts = failing(InProcessCandidate(Sharing))
    assert any(v.clauses == ("C2D-PURE-6",) and words in v.reason for v in verdicts)


def test_gradients_in_one_anothers_memory_are_seen():
    class Sharing(NumpyBackend):
        def conv2d_backward(self, grad_output, x, weight, bias, params):
            gradients = super().conv2d_backward(grad_output, x, weight, bias, params)
            return Gradients(gradients.input, gradients.weight, gradients.weight.reshape(-1)[: weight.shape[0]])

    assert any("grad_bias with grad_weight" in v.reason for v in failing(InProcessCandidate(Sharing)))


def test_interleaved_results_that_share_no_byte_pass():
    class Interleaved(NumpyBackend):
        def __init__(self):
            self.memory, self.turn = np.empty((2, 6, 4, 5, 2, 4), np.float32), 0

        def conv2d(self, x, weight, bias, params):
            result = self.memory[..., self.turn]
            self.turn += 1
            result[...] = super().conv2d(x, weight, bias, params)[..., None]
            return result[..., 0]

    assert found(InProcessCandidate(Interleaved)) == set()


def unwritten(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    out = torch.empty_like(torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups))
    out[..., :-1] = torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups)[..., :-1]
    return out


def test_an_unwritten_column_is_named(tmp_path):
    (tmp_path / "k.py").write_text("import torch\n" + _source(unwritten))
    with closing(SubprocessCandidate(f"{tmp_path / 'k.py'}:unwritten")) as candidate:
        verdicts = failing(candidate)
    outputs = [v for v in verdicts if v.quantity == "output"]
    assert {v.status for v in outputs} == {Status.UNWRITTEN}
    assert {v.clauses[0] for v in outputs} == {"C2D-PURE-2"}


def _source(function):
    import inspect

    return inspect.getsource(function)


@pytest.mark.parametrize("spec", ["numpy", "torch-cpu"])
def test_memory_clauses_are_passed_where_they_could_have_failed(spec):
    with closing(SubprocessCandidate(spec)) as candidate:
        verdicts, _, _ = judge_case(candidate, CASE)
    passed = {c for v in verdicts if v.status is Status.PASS for c in v.clauses}
    assert {"C2D-PURE-1", "C2D-PURE-2", "C2D-PURE-5", "C2D-PURE-6"} <= passed
    assert not [v for v in verdicts if v.status in FAILURES]


def test_memory_that_cannot_be_watched_is_not_applicable():
    class Device(NumpyBackend):
        def to_native(self, array):
            return array.copy()

    verdicts, _, _ = judge_case(InProcessCandidate(Device), CASE)
    statuses = {v.status for v in verdicts if v.clauses == ("C2D-PURE-5",)}
    assert statuses == {Status.NOT_APPLICABLE}


def test_an_allocator_of_ones_own_earns_no_pass_for_written_elements():
    class Foreign(Backend):
        name = "foreign"
        capabilities = Capabilities()

        def to_native(self, array):
            return [array]

        def to_numpy(self, native):
            return native[0]

        def conv2d(self, x, weight, bias, params):
            return [NumpyBackend().conv2d(x[0], weight[0], bias[0], params)]

    outcome = InProcessCandidate(Foreign).call(_quiet())
    assert not isinstance(outcome, Returned) or not outcome.poisoned
    verdicts, _, _ = judge_case(InProcessCandidate(Foreign), CASE)
    assert not any("C2D-PURE-2" in v.clauses for v in verdicts)
