import numpy as np
import pytest

from altered import Altered, off_by
from convcheck.execution import InProcessCandidate
from convcheck.model.token import read
from convcheck.oracles import Trial, extra_calls
from convcheck.oracles.metamorphic import ORACLES
from convcheck.oracles.support.trial import plain_key
from convcheck.plugin.registry import load
from convcheck.triage.diagnosis.cross_check import cross_check, loops, reference

CASE = "v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x0,g=2"


def words(backend, token=CASE, convolve=reference):
    host = InProcessCandidate(lambda: backend)
    trial = Trial(read(token), host.capabilities)
    calls = {**trial.calls, **extra_calls(trial, ORACLES)}
    done = trial.with_outcomes({name: host.call(call) for name, call in calls.items()})
    return cross_check(done.returned("integers", "output"), done, convolve)


def first_row_lost(a):
    a = a.copy()
    a[..., 0, :] = 0
    return a


def test_a_wrong_candidate_breaks_relations_and_the_loops_side_with_the_reference():
    said = words(Altered(first_row_lost))
    assert said.startswith(
        "The candidate is wrong: written out loop by loop, the layer gives what the reference gives;"
    )
    assert "the candidate breaks" in said
    assert "translation" in said
    assert "the reference keeps all" in said


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "complex64"])
def test_a_wrong_reference_is_found_out(dtype):
    def faulty(layer):
        return first_row_lost(reference(layer))

    said = words(load("numpy"), f"{CASE},dtype={dtype}", faulty)
    assert said.startswith(
        "The reference is wrong: written out loop by loop, the layer gives what the candidate gives;"
    )
    assert "the candidate keeps all" in said
    assert "the reference breaks" in said


def test_two_wrong_sides_are_told_apart_from_a_right_one():
    said = words(Altered(off_by(1)), convolve=lambda layer: first_row_lost(reference(layer)))
    assert said.startswith("Both are wrong")


@pytest.mark.parametrize(
    "token", [CASE, "v1,x=3x5x5,out=2,k=2,dtype=bfloat16", "v1,x=1x2x3x3,out=1,k=3,p=same,mode=circular"]
)
def test_of_two_right_sides_neither_is_wrong(token):
    said = words(load("numpy"), token)
    assert said.startswith("Neither is wrong on integers")
    assert said.count("keeps all") == 2


def test_of_a_large_layer_the_relations_decide():
    large = "v1,x=2x8x14x14,out=8,k=3,p=1"
    assert words(Altered(first_row_lost), large).startswith("The candidate is wrong (the layer is too large for loops)")
    assert words(load("numpy"), large).startswith("Undecided")
    faulty = words(load("numpy"), large, lambda layer: first_row_lost(reference(layer)))
    assert faulty.startswith("The reference is wrong (the layer")


def test_without_calls_of_the_candidates_only_the_output_is_compared():
    host = InProcessCandidate(lambda: load("numpy"))
    trial = Trial(read(CASE), host.capabilities)
    output = host.call(trial.calls[plain_key("integers", "output")]).arrays["output"]
    said = cross_check(output, trial)
    assert said.startswith("Neither")
    assert "no relation was asked of the candidate" in said


def test_the_second_formulation_shares_nothing_with_the_reference():
    trial = Trial(read("v1,x=4x5x6,out=2,k=2x3,s=1x2,p=1,g=2,mode=reflect"), load("numpy").capabilities)
    from convcheck.oracles.metamorphic import layer_of

    assert np.array_equal(loops(layer_of(trial)), reference(layer_of(trial)))
