from dataclasses import replace

import numpy as np
import pytest

from altered import Altered, failing, verdicts
from convcheck import Profile, Status
from convcheck.model.token import read
from convcheck.oracles.support.trial import Trial
from convcheck_backends import NumpyBackend, TorchCpu

SMALL = "v1,x=1x2x5x4,out=3,k=3x2,p=1"


class Rare(NumpyBackend):
    """One call in so many leaves its last element unfinished."""

    def __init__(self, every):
        self.every, self.calls = every, 0

    def conv2d(self, x, weight, bias, params):
        self.calls += 1
        out = super().conv2d(x, weight, bias, params)
        if self.calls % self.every == 0:
            out.reshape(-1)[-1] += 1
        return out


def about(oracle, backend, token=SMALL):
    return failing(backend, token, only=(oracle,))


class RareGradient(NumpyBackend):
    """One backward pass in so many has a weight gradient of twice its size."""

    def __init__(self, every):
        self.every, self.calls = every, 0

    def conv2d_backward(self, grad_output, x, weight, bias, params):
        self.calls += 1
        right = super().conv2d_backward(grad_output, x, weight, bias, params)
        return right if self.calls % self.every else right._replace(weight=right.weight * 2)


class OtherBits(NumpyBackend):
    """Returns −0 in place of 0, and the other way round, in turn: the same value with other bits."""

    def __init__(self):
        self.calls = 0

    def conv2d(self, x, weight, bias, params):
        self.calls += 1
        right = super().conv2d(x, weight, bias, params)
        return np.where(right == 0, -right, right) if self.calls % 2 else right


class OtherShape(NumpyBackend):
    """One call in so many loses an axis."""

    def __init__(self, every):
        self.every, self.calls = every, 0

    def conv2d(self, x, weight, bias, params):
        self.calls += 1
        right = super().conv2d(x, weight, bias, params)
        return right if self.calls % self.every else right.reshape(-1)


@pytest.mark.parametrize("every", [37, 150, 999])
def test_a_rare_wrong_call_fails(every):
    assert about("soak", Rare(every)) == {("soak", "output", Status.FAIL)}


def test_the_first_wrong_call_and_how_many_there_are_is_said():
    (found,) = [v for v in verdicts(Rare(150), SMALL, only=("soak",)) if v.status is Status.FAIL]
    before = len(Trial(read(SMALL), NumpyBackend.capabilities).calls) // 2  # the forward calls of every case
    assert found.reason == f"6 of 1000 calls are wrong, the first is number {150 - before}"


def test_a_rare_wrong_gradient_fails():
    assert about("soak", RareGradient(140)) == {("soak", "grad_weight", Status.FAIL)}


def test_a_rare_result_of_another_shape_fails():
    assert about("soak", OtherShape(170)) == {("soak", "output", Status.FAIL)}


def test_many_right_calls_pass():
    for backend in (Altered(), TorchCpu(), OtherBits()):
        assert not about("soak", backend)


def test_what_may_differ_is_wrong_only_where_the_same_bits_are_promised():
    class Wandering(NumpyBackend):
        """Half precision, whose sums go beyond what it holds exactly, rounded up and down in turn."""

        calls = 0

        def conv2d(self, x, weight, bias, params):
            self.calls += 1
            right = super().conv2d(x, weight, bias, params)
            return np.nextafter(right, np.inf) if self.calls % 7 == 0 else right

    promised = {"float32": Profile(algorithm="winograd-f4", repeatable=True)}
    token = "v1,x=1x2x6x6,out=2,k=3"
    for repeatable in (True, False):
        profile = replace(promised["float32"], repeatable=repeatable)
        Wandering.capabilities = replace(NumpyBackend.capabilities, gradients=False, profiles={"float32": profile})
        assert bool(about("soak", Wandering(), token)) is repeatable


def test_a_large_layer_is_not_called_hundreds_of_times():
    small, large = Rare(10**9), Rare(10**9)
    about("soak", small)
    about("soak", large, "v1,x=2x8x16x16,out=8,k=3,p=1")
    assert small.calls > large.calls + 100
