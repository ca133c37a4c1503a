"""What takes thousands of calls of one candidate to go wrong."""

from itertools import islice

import numpy as np

from altered import CachingByContents
from convcheck import Status
from convcheck.execution import InProcessCandidate
from convcheck.judging.long_history import judge_long_history, long_history
from convcheck.judging.playing import number_of_calls, play
from convcheck.model.history import read_history, write
from convcheck.model.origins import Origin
from convcheck_backends import NumpyBackend, TorchCpu
from stand_ins import Counted

STEPS = 100


class Wearing(NumpyBackend):
    """Right for so many calls, wrong ever after."""

    def __init__(self, right_calls):
        self.left = right_calls

    def conv2d(self, x, weight, bias, params):
        self.left -= 1
        right = super().conv2d(x, weight, bias, params)
        return right if self.left >= 0 else right + right.dtype.type(1)


class Arena(NumpyBackend):
    """Hands out 1,024 slots of memory one after another, and writes the last one over the one before."""

    def __init__(self):
        self.slot = 0

    def conv2d(self, x, weight, bias, params):
        self.slot = (self.slot + 1) % 1024
        right = super().conv2d(x, weight, bias, params)
        return right if self.slot else np.zeros_like(right)


class FewPlans(NumpyBackend):
    """Keeps the stride of so many different layers, and takes that of the last for whatever comes after."""

    def __init__(self, room):
        self.room, self.plans = room, {}

    def conv2d(self, x, weight, bias, params):
        right = super().conv2d(x, weight, bias, params)
        key = (x.shape, x.dtype, weight.shape, params)
        if key not in self.plans and len(self.plans) >= self.room:
            return np.zeros_like(right)
        self.plans[key] = params
        return right


class WrongAtStride2(NumpyBackend):
    """Wrong in every layer of stride 2, whatever was called before."""

    def conv2d(self, x, weight, bias, params):
        right = super().conv2d(x, weight, bias, params)
        return right * 2 if 2 in params.stride else right


def judged(backend, size=STEPS):
    return judge_long_history(InProcessCandidate(backend), 3, run_seed=0, number=0, size=size)


def test_a_run_of_a_thousand_makes_thousands_of_calls_of_many_layers():
    steps = list(long_history(NumpyBackend.capabilities, run_seed=0, number=0, size=STEPS))
    assert sum(map(number_of_calls, steps)) > 2_500
    assert len({step.case.arguments for step in steps}) > STEPS // 2


def test_the_steps_follow_from_seed_and_number_and_a_shorter_history_begins_like_a_longer_one():
    def steps(run_seed, number, size):
        return tuple(long_history(NumpyBackend.capabilities, run_seed=run_seed, number=number, size=size))

    assert steps(1, 0, 30) == steps(1, 0, 60)[:30]
    assert steps(1, 0, 5) != steps(2, 0, 5)
    assert steps(1, 0, 5) != steps(1, 1, 5)
    assert read_history(write(steps(1, 0, 30))) == steps(1, 0, 30)


def test_wrong_from_some_call_on_is_found_and_comes_down_to_one_layer_and_a_number():
    right_calls = 799
    (found,) = judged(lambda: Wearing(right_calls)).failures
    (step,) = found.history
    assert step.times == right_calls + 1
    assert f"the first of them number {right_calls + 1}" in found.verdict.reason
    assert found.origin is Origin.LONG_HISTORY
    again = read_history(write(found.history))
    assert play(InProcessCandidate(lambda: Wearing(right_calls)), again).failure is not None


def test_a_counter_that_wraps_around_is_found():
    (found,) = judged(Arena).failures
    assert [step.times for step in found.history] == [1024]


def test_what_takes_many_layers_comes_down_to_them():
    (found,) = judged(lambda: FewPlans(20)).failures
    assert len({step.case for step in found.history}) > 20
    assert all(step.times == 1 for step in found.history[:-1])


def test_what_is_right_always_passes_and_is_restarted_once():
    for make in (NumpyBackend, CachingByContents, TorchCpu):
        candidate = Counted(make)
        tally = judge_long_history(candidate, 3, run_seed=0, number=0, size=20)
        assert not tally.failures
        assert tally.counts == {("C2D-PURE-4", Status.PASS, ""): 1}
        assert candidate.restarts == 1


def test_a_layer_that_is_wrong_by_itself_is_no_matter_of_state():
    tally = judged(WrongAtStride2, size=40)
    assert not tally.failures
    assert {status for _, status, _ in tally.counts} == {Status.VACUOUS}


def test_only_what_is_declared_is_drawn():
    steps = islice(long_history(TorchCpu.capabilities, ("float64",), run_seed=0, number=0, size=12), 12)
    assert {step.case.dtype for step in steps} == {"float64"}
