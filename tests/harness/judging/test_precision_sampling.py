import numpy as np
import pytest

from altered import Altered
from convcheck.execution import InProcessCandidate
from convcheck.judging.precision_sampling import sample_precision
from convcheck.model.token import read
from convcheck.oracles import Trial
from convcheck_backends import NumpyBackend

LAYER = "v1,x=2x4x7x6,out=6,k=3x2"
BOTH_WAYS = ["output", "grad_input", "grad_weight"]


def sampled(token, make=NumpyBackend):
    candidate = InProcessCandidate(make)
    trial = Trial(read(token), candidate.capabilities)
    return list(sample_precision(trial.with_outcomes({key: candidate.call(call) for key, call in trial.calls.items()})))


@pytest.mark.parametrize("more", ["", ",values=wide", ",dtype=bfloat16", ",p=1", ",g=2,s=2"])
def test_every_sum_of_zero_mean_data_is_a_sample(more):
    found = sampled(LAYER + more)
    assert [one.quantity for one in found] == BOTH_WAYS
    assert {one.dtype for one in found} == {read(LAYER + more).dtype}


@pytest.mark.parametrize(
    "more",
    [",values=positive", ",values=special", ",values=large", ",dtype=complex64", ",nonzeros=3", ",layout-x=expanded",
     ",entry=module", ",s=0"],
)  # fmt: skip
def test_other_data_say_nothing_of_the_precision(more):
    assert sampled(LAYER + more) == []


def test_gradients_through_folded_padding_are_rounded_more_than_once():
    assert [one.quantity for one in sampled(f"{LAYER},p=1,mode=reflect")] == ["output", "grad_weight"]
    assert [one.quantity for one in sampled(f"{LAYER},mode=reflect")] == BOTH_WAYS


def test_sums_of_few_terms_say_nothing():
    assert [one.quantity for one in sampled("v1,x=2x3x5x5,out=4,k=1")] == ["grad_input", "grad_weight"]


def test_the_ratio_is_the_error_in_units_of_the_roundoff_and_the_norm_of_the_products():
    off = 2.0**-24 * 512

    def shifted(a):
        return a + np.float32(off)

    token = "v1,x=1x64x6x6,out=8,k=3,bias=false,seed=4"
    (right, *_), (wrong, *_) = sampled(token), sampled(token, lambda: Altered(shifted))
    # √Σ(a·b)² of 576 products of variance 1/576 or so each: the shift shows as it is, in these units
    assert float(np.median(right.values)) < 5
    norms = off / 2.0**-24 / np.median(wrong.values)
    values = Trial(read(token), NumpyBackend.capabilities).reals
    typical = float(np.sqrt(576.0) * np.std(values.x) * np.std(values.weight))
    assert norms == pytest.approx(typical, rel=0.15)


def test_a_result_that_did_not_come_back_is_no_sample():
    assert [one.quantity for one in sampled(LAYER, lambda: Altered(lambda a: a[..., 1:]))] == BOTH_WAYS[1:]
