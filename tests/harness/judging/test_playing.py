import numpy as np
import pytest

from altered import Altered, CachingByContents, off_by
from convcheck import Status
from convcheck.execution import InProcessCandidate
from convcheck.judging.history_shrinking import with_fewest_steps
from convcheck.judging.playing import asked, failing, of_state, play, remembering
from convcheck.model.calls import Operation
from convcheck.model.history import Step, read_history
from convcheck.model.token import read
from convcheck_backends import NumpyBackend
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


def test_only_the_steps_stay_without_which_nothing_fails():
    other = "v1,x=1x1x4x4,out=1,k=1"
    history = read_history(f"{other} {A} {A}@bias=3 {other} {A},s=2 {A}@weight=1")
    candidate = InProcessCandidate(KeepingWeights)
    failure = play(candidate, history).failure
    fewest, verdict = with_fewest_steps(candidate, history, failure)
    assert fewest in [(history[at], history[-1]) for at in (1, 2, 4)]
    assert verdict == play(candidate, fewest).failure
