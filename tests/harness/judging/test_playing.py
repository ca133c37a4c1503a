import numpy as np
import pytest

from altered import Altered, CachingByContents, off_by
from convcheck import Capabilities, Status
from convcheck.execution import InProcessCandidate
from convcheck.judging.playing import (
    NOT_THREAD_SAFE,
    TIMES,
    asked,
    failing,
    number_of_calls,
    of_state,
    play,
    remembering,
    unplayable,
)
from convcheck.model.calls import Operation
from convcheck.model.history import Step, read_history
from convcheck.model.token import read
from convcheck_backends import NumpyBackend, TorchCpu
from racing import SharedOutput, SharedWorkspace, WorkspaceOfAThread
from stand_ins import Counted

A = "v1,x=1x2x3x3,out=2,k=2"
TWO = read_history(f"{A} {A}@weight=1")


class KeepingWeights(NumpyBackend):
    def __init__(self):
        self.kept = {}

    def conv2d(self, x, weight, bias, params):
        return super().conv2d(x, self.kept.setdefault(weight.shape, weight.copy()), bias, params)


class Raising(NumpyBackend):
    """Raises from the second call on."""

    def __init__(self):
        self.calls = 0

    def conv2d(self, x, weight, bias, params):
        self.calls += 1
        if self.calls > 1:
            raise MemoryError("the workspace is gone")
        return super().conv2d(x, weight, bias, params)


class Narrowing(Raising):
    """Of another dtype from the second call on."""

    def conv2d(self, x, weight, bias, params):
        self.calls += 1
        output = NumpyBackend.conv2d(self, x, weight, bias, params)
        return output.astype(np.float16) if self.calls > 1 else output


def played(make, history=TWO):
    return play(InProcessCandidate(make), history)


def test_what_an_earlier_call_leaves_behind_fails_the_last():
    found = played(KeepingWeights)
    assert [[v.status for v in some] for some in found.verdicts] == [[Status.PASS], [Status.FAIL]]
    assert found.failure.quantity == "output"
    assert found.failure.clauses == ("C2D-PURE-4",)
    assert found.failure.reason.startswith(
        "in the last of 2 calls, and right where it is the only one, output is wrong"
    )
    assert found.failure.reason.endswith("it is the result of an earlier call")
    assert found.failure.evidence.wrong > 0


@pytest.mark.parametrize("make", [NumpyBackend, CachingByContents])
def test_what_keeps_its_contents_apart_passes(make):
    history = read_history(f"{A} {A} {A}@weight=1 {A}@backward {A},bias=false {A},dtype=float16 {A}")
    found = played(make, history)
    assert found.failure is None
    assert {v.status for some in found.verdicts for v in some} == {Status.PASS}
    assert [len(some) for some in found.verdicts] == [1, 1, 1, 3, 1, 1, 1]


def test_a_call_that_is_wrong_by_itself_ends_the_history_and_is_no_failure_of_it():
    found = played(lambda: Altered(output=off_by(1)))
    assert [failing(some) != () for some in found.verdicts] == [True]
    assert found.failure is None
    found = played(
        lambda: Altered(gradients=lambda g: g._replace(input=g.input + 1)), read_history(f"{A} {A}@backward")
    )
    assert [v.quantity for v in failing(found.verdicts[1])] == ["grad_input"]
    assert found.failure is None


@pytest.mark.parametrize(
    ("make", "quantity", "status", "words"),
    [
        (Raising, "call", Status.WRONGLY_REFUSED, "raised MemoryError: the workspace is gone"),
        (Narrowing, "output", Status.FAIL, "output has not the shape and dtype"),
    ],
)
def test_a_call_without_a_proper_result_fails_where_it_has_one_by_itself(make, quantity, status, words):
    found = played(make).failure
    assert (found.quantity, found.status) == (quantity, status)
    assert words in found.reason


def test_the_first_call_has_nothing_before_it():
    candidate = Counted(NumpyBackend)
    wrong = played(lambda: Altered(output=off_by(1))).verdicts[0]
    assert of_state(candidate, remembering(candidate.capabilities), wrong, TWO[:1]) is None
    assert candidate.calls == 0


def test_each_tensor_is_of_its_own_seed_and_in_reused_buffers():
    capabilities = NumpyBackend.capabilities
    first, second = (asked(capabilities, step).call for step in TWO)
    assert first.buffers == second.buffers == "reused"
    assert np.array_equal(first.tensors["x"].values, second.tensors["x"].values)
    assert not np.array_equal(first.tensors["weight"].values, second.tensors["weight"].values)
    backward = asked(capabilities, Step.of(read(A), Operation.BACKWARD))
    assert "grad_output" in backward.call.tensors
    assert backward.quantities == ("grad_input", "grad_weight", "grad_bias")


BESIDE = f"{A}&{A},seed=1"


@pytest.mark.parametrize("make", [SharedWorkspace, SharedOutput])
@pytest.mark.parametrize("line", [BESIDE, f"{A} {BESIDE}"])
def test_what_threads_share_fails_though_each_call_is_right_alone(make, line):
    found = played(make, read_history(line)).failure
    assert (found.quantity, found.status) == ("output", Status.FAIL)
    assert found.clauses == (("C2D-PURE-4",) if make is SharedWorkspace else ("C2D-PURE-4", "C2D-PURE-6"))
    last = ", the last of 2 steps" if " " in line else ""
    where = f"in one of 2 calls from as many threads at once{last}, and right where it is the only one, output is wrong"
    assert found.reason.startswith(where)
    assert make is SharedWorkspace or found.reason.endswith("it is the result of another thread's call")


@pytest.mark.parametrize("make", [WorkspaceOfAThread, NumpyBackend, CachingByContents, TorchCpu])
def test_what_threads_keep_apart_passes(make):
    found = played(make, read_history(f"{A} {BESIDE} {BESIDE}&{A}@backward {A},p=1&{A}"))
    assert found.failure is None
    assert {v.status for some in found.verdicts for v in some} == {Status.PASS}
    quantities = [{v.quantity for v in some} for some in found.verdicts]
    assert quantities == [{"output"}, {"output"}, {"output", "grad_input", "grad_weight", "grad_bias"}, {"output"}]


def test_threads_of_layers_that_differ_have_workspaces_of_their_own():
    assert played(SharedWorkspace, read_history(f"{A}&v1,x=1x2x3x4,out=2,k=2")).failure is None


def test_what_is_wrong_alone_is_no_matter_of_threads():
    found = played(lambda: Altered(output=off_by(1)), read_history(BESIDE))
    assert failing(found.verdicts[0]) != ()
    assert found.failure is None


def test_each_thread_makes_its_call_some_times_with_other_tensors_each_time():
    asked_for = []

    class Doubling(NumpyBackend):
        def conv2d(self, x, weight, bias, params):
            asked_for.append(x.ctypes.data)
            output = super().conv2d(x, weight, bias, params)
            x *= 2
            return output

    (step,) = read_history(BESIDE)
    assert played(Doubling, (step,)).failure is None
    assert number_of_calls(step) == len(set(asked_for)) == 2 * TIMES
    assert number_of_calls(step.calls[0]) == 1


def test_steps_with_threads_are_not_for_candidates_that_are_not_thread_safe():
    history = read_history(f"{A} {BESIDE}")
    assert unplayable(Capabilities(), history) is None
    assert unplayable(Capabilities(thread_safe=False), history) == (history[1], NOT_THREAD_SAFE)
    assert unplayable(Capabilities(thread_safe=False), history[:1]) is None
    _, reason = unplayable(Capabilities(), read_history(f"{A}&{A}@backward"))
    assert reason == "gradients are not declared"
