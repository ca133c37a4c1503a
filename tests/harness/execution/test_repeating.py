"""A call that is made many times where the candidate is."""

from dataclasses import replace

import numpy as np
import pytest

from convcheck.execution import InProcessCandidate, SubprocessCandidate
from convcheck.execution.repeating import repeated
from convcheck.model.calls import Operation, Raised, Returned
from convcheck.model.token import read
from convcheck.oracles.support.trial import Trial
from convcheck_backends import NumpyBackend

RIGHT = np.arange(3.0)
WRONG = RIGHT * (1 + 1e-15)


def answers(*arrays):
    return iter({"output": array} for array in arrays).__next__


def test_answers_with_the_same_bits_leave_the_first_as_it_is():
    found = repeated(Returned({"output": RIGHT}), answers(RIGHT.copy(), RIGHT.copy()), 3)
    assert (found.others, found.first_other, found.other) == (0, 0, {})


def test_answers_with_other_bits_are_counted_and_the_first_is_kept():
    found = repeated(Returned({"output": RIGHT}), answers(RIGHT, WRONG, RIGHT, -RIGHT), 5)
    assert (found.others, found.first_other) == (2, 3)
    assert np.array_equal(found.other["output"], WRONG)
    assert np.array_equal(found.arrays["output"], RIGHT)


def test_another_shape_dtype_or_sign_of_zero_is_another_answer():
    for other in (RIGHT[:, None], RIGHT.astype(np.float32), np.array([-0.0, 1.0, 2.0])):
        assert repeated(Returned({"output": RIGHT}), answers(other), 2).others == 1


def test_what_one_of_the_calls_raises_says_which_it_was():
    found = repeated(Returned({"output": RIGHT}), lambda: Raised("ValueError", "no"), 7)
    assert (found.kind, found.message) == ("ValueError", "no (in call 2 of 7 with the same tensors)")


class CountingUp(NumpyBackend):
    """Adds 1 from its tenth call on."""

    def __init__(self):
        self.calls = 0

    def conv2d(self, x, weight, bias, params):
        self.calls += 1
        return super().conv2d(x, weight, bias, params) + x.dtype.type(self.calls >= 10)


@pytest.fixture
def call():
    trial = Trial(read("v1,x=1x1x3x3,out=1,k=2"), NumpyBackend.capabilities)
    return trial.call(Operation.FORWARD, trial.integers, memory="guard_after")


def test_the_candidate_is_called_so_often_on_the_same_tensors(call):
    found = InProcessCandidate(CountingUp).call(replace(call, times=12))
    assert (found.others, found.first_other) == (3, 10)
    assert np.array_equal(found.other["output"], found.arrays["output"] + 1)


def test_a_worker_answers_as_this_process_does(call, tmp_path):
    here = InProcessCandidate(NumpyBackend).call(replace(call, times=12))
    candidate = SubprocessCandidate("convcheck.defects:every-hundredth-call")
    try:
        there = candidate.call(replace(call, times=250))
    finally:
        candidate.close()
    assert (there.others, there.first_other) == (2, 100)
    assert np.array_equal(there.arrays["output"], here.arrays["output"])
    assert here.others == 0


def test_inputs_that_one_of_the_calls_changes_are_seen_and_restored(call):
    class Late(CountingUp):
        def conv2d(self, x, weight, bias, params):
            right = super().conv2d(x, weight, bias, params)
            if self.calls == 5:
                x += 1
            return right

    candidate = InProcessCandidate(Late)
    assert candidate.call(replace(call, times=6)).mutated == ("x",)
    assert not candidate.call(call).mutated
