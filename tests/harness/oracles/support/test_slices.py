"""A slice of a large layer is a layer: its results are those of the whole, and verdicts name the whole's positions."""

from dataclasses import replace

import numpy as np
import pytest

from convcheck import Capabilities
from convcheck.model.token import read
from convcheck.model.work import is_huge, is_large
from convcheck.oracles import Trial, exact, gradients_exact, judge
from convcheck.oracles.support.slices import slices
from large_trials import LARGE, trial

ORACLES = (exact.ORACLE, gradients_exact.ORACLE)


@pytest.mark.parametrize("token", LARGE)
def test_right_results_pass_in_every_quantity(token):
    found = judge(trial(token), ORACLES)
    quantities = {"output", "grad_input", "grad_weight"} | ({"grad_bias"} if read(token).params.bias else set())
    assert {v.quantity for v in found} >= quantities
    assert {str(v.status) for v in found} == {"pass"}


@pytest.mark.parametrize("quantity", ["output", "grad_input", "grad_weight", "grad_bias"])
def test_a_wrong_last_channel_is_seen_and_named(quantity):
    def wrong(arrays):
        if quantity in ("output", "grad_input"):
            arrays[quantity][..., -1, 2, 3] += 1
        else:
            arrays[quantity][-1] += 1

    (verdict,) = [v for v in judge(trial(LARGE[0], wrong), ORACLES) if str(v.status) == "fail"]
    assert verdict.quantity == quantity
    last = 39 if quantity == "grad_input" else 47
    assert last in verdict.evidence.index
    assert f"{last}, which alone were compared" in verdict.evidence.location


def test_a_slice_has_whole_groups_with_some_channels_of_each():
    of_filters, of_inputs = slices(trial(LARGE[1]))
    assert of_filters.trial.case.params.groups == 2
    assert {0, 47, 48, 95} <= set(of_filters.outputs)
    assert of_filters.inputs == tuple(range(64))
    assert {0, 31, 32, 63} <= set(of_inputs.inputs)
    assert of_inputs.outputs == tuple(range(96))
    assert np.array_equal(of_inputs.trial.integers.x, trial(LARGE[1]).integers.x[:, list(of_inputs.inputs)])


def test_a_result_of_a_wrong_shape_is_left_to_the_contract():
    def cut(arrays):
        arrays["output"] = arrays["output"][..., :-1]

    found = judge(trial(LARGE[0], cut), (exact.ORACLE,))
    assert not [v for v in found if v.quantity == "output"]


def test_only_legal_functions_are_large_and_the_largest_are_called_with_integers_alone():
    case = read(LARGE[0])
    assert is_large(case)
    assert not is_large(replace(case, entry="module"))
    assert not is_large(read("v1,x=1x8x8x8,out=8,k=3"))
    assert not is_huge(case)
    huge = read("v1,x=1x512x32x32,out=512,k=3")
    assert is_huge(huge)
    assert {key.name.split()[0] for key in Trial(huge, Capabilities()).calls} == {"integers"}
