"""Caches whose keys lack something, one for each thing that can be lacking, and one that lacks nothing."""

import numpy as np
import pytest

from altered import Altered, CachingByContents, failing, verdicts
from convcheck import Status
from convcheck.model.token import read
from convcheck.oracles import cache_keys
from convcheck.oracles.support.trial import Trial
from convcheck.strategies.changes import CHANGES
from convcheck_backends import NumpyBackend, TorchCpu

CASES = [f"v1,x=2x4x6x5,out=4,k=3x2,s=1x2,p=1x0,g=2,seed={seed}" for seed in range(30)]
WRONG = {("cache-keys", "output", Status.FAIL)}


def of_order(*, backward, others_first):
    """A case that is called in one order."""
    wanted = backward, others_first
    return next(token for token in CASES if cache_keys.order(Trial(read(token), NumpyBackend.capabilities)) == wanted)


THERE_AND_BACK = of_order(backward=False, others_first=False)
OTHERS_FIRST = of_order(backward=False, others_first=True)
BACKWARD = of_order(backward=True, others_first=True)


class KeptPlan(NumpyBackend):
    """Keeps one argument of the first layer that agrees in everything else; where shapes no longer fit, it is right."""

    def __init__(self, forgotten):
        self.forgotten, self.plans = forgotten, {}

    def planned(self, x, weight, params):
        rest = {name: getattr(params.arguments, name) for name in params.arguments.__slots__ if name != self.forgotten}
        return self.plans.setdefault((x.shape, x.dtype, weight.shape, str(rest)), params)

    def conv2d(self, x, weight, bias, params):
        right = super().conv2d(x, weight, bias, params)
        kept = self.planned(x, weight, params)
        return right if kept == params else np.resize(super().conv2d(x, weight, bias, kept), right.shape)

    def conv2d_backward(self, grad_output, x, weight, bias, params):
        right = super().conv2d_backward(grad_output, x, weight, bias, params)
        kept = self.planned(x, weight, params)
        return right if kept == params else right._replace(weight=right.weight * 2)


class StaleBorder(NumpyBackend):
    """Pads into a workspace of a padded size, whose border it takes to be zero for ever."""

    def __init__(self):
        self.spaces = {}

    def conv2d(self, x, weight, bias, params):
        right = super().conv2d(x, weight, bias, params)
        if params.padding_mode != "zeros":
            return right
        (top, bottom), (left, right_) = params.padding
        height, width = x.shape[-2:]
        shape = (*x.shape[:-2], top + height + bottom, left + width + right_)
        space = self.spaces.setdefault((shape, x.dtype), np.zeros(shape, x.dtype))
        space[..., top : top + height, left : left + width] = x
        arguments = {name: getattr(params.arguments, name) for name in params.arguments.__slots__}
        return super().conv2d(space, weight, bias, type(params)(**arguments | {"padding": 0}))


@pytest.mark.parametrize("token", [THERE_AND_BACK, OTHERS_FIRST])
@pytest.mark.parametrize("forgotten", ["stride", "padding", "dilation", "padding_mode"])
def test_a_plan_that_goes_by_all_but_one_argument_fails(forgotten, token):
    # a stride, padding or dilation with the same output, else the results are of another shape
    assert failing(KeptPlan(forgotten), token, only=("cache-keys",)) == WRONG


def test_a_plan_of_the_backward_pass_fails():
    assert failing(KeptPlan("padding_mode"), BACKWARD, only=("cache-keys",)) == {
        ("cache-keys", "grad_weight", Status.FAIL)
    }


@pytest.mark.parametrize("token", [THERE_AND_BACK, OTHERS_FIRST])
def test_a_border_that_stays_dirty_fails(token):
    assert failing(StaleBorder(), token, only=("cache-keys",)) == WRONG


def test_the_change_that_a_cache_overlooks_is_named():
    (found,) = [v for v in verdicts(KeptPlan("padding_mode"), THERE_AND_BACK, only=("cache-keys",)) if v.reason]
    assert "'another padding mode'" in found.reason
    assert read(found.alone).params.padding_mode != "zeros"


@pytest.mark.parametrize("token", [THERE_AND_BACK, OTHERS_FIRST, BACKWARD, f"{THERE_AND_BACK},layout=expanded"])
def test_a_cache_that_goes_by_everything_passes(token):
    for backend in (Altered(), CachingByContents(), TorchCpu()):
        assert not failing(backend, token, only=("cache-keys",))


def test_what_would_cost_much_is_not_called():
    trial = Trial(read("v1,x=2x8x16x16,out=8,k=3,p=1"), NumpyBackend.capabilities)
    assert not cache_keys.steps(trial)
    assert set(CHANGES) & set(cache_keys.steps(Trial(read(THERE_AND_BACK), NumpyBackend.capabilities)))
