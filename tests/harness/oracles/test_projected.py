"""Projections see a wrong element in any channel of a large layer, and none in a right one."""

import pytest

from convcheck.model.capabilities import Capabilities
from convcheck.model.profiles import Algorithm, Profile
from convcheck.model.token import read
from convcheck.oracles import Trial, judge, projected
from large_trials import LARGE, trial

ORACLE = (projected.ORACLE,)


@pytest.mark.parametrize("token", LARGE)
def test_right_results_pass(token):
    found = judge(trial(token), ORACLE)
    assert {(v.quantity, str(v.status)) for v in found} == {
        (quantity, "pass") for quantity in ("output", "grad_input", "grad_weight")
    }


@pytest.mark.parametrize("quantity", ["output", "grad_input", "grad_weight"])
@pytest.mark.parametrize("channel", [7, 18, 30])
def test_one_wrong_element_in_a_channel_that_no_slice_has_shows(quantity, channel):
    def wrong(arrays):
        if quantity == "grad_weight":
            arrays[quantity][channel, 3, 1, 2] -= 1
        else:
            arrays[quantity][0, channel, 5, 6] -= 1

    (verdict,) = [v for v in judge(trial(LARGE[0], wrong), ORACLE) if str(v.status) == "fail"]
    assert (verdict.quantity, verdict.evidence.wrong) == (quantity, 1)


def test_two_channels_that_are_exchanged_show():
    def exchanged(arrays):
        arrays["output"][:, [3, 4]] = arrays["output"][:, [4, 3]]

    found = judge(trial(LARGE[0], exchanged), ORACLE)
    assert [v.quantity for v in found if str(v.status) == "fail"] == ["output"]


def test_what_is_not_finite_shows():
    def infinite(arrays):
        arrays["grad_input"][0, 9] = float("nan")

    found = judge(trial(LARGE[0], infinite), ORACLE)
    assert [v.quantity for v in found if str(v.status) == "fail"] == ["grad_input"]


def test_nothing_is_said_where_integers_may_be_rounded_or_the_layer_is_small():
    case = read(LARGE[0])
    promises = {
        (case.dtype, quantity): Profile(algorithm=Algorithm.WINOGRAD_F4)
        for quantity in ("output", "grad_input", "grad_weight")
    }
    rounded = trial(LARGE[0]).under(Capabilities(profiles=promises))
    assert judge(rounded, ORACLE) == ()
    assert tuple(projected.ORACLE.judge(Trial(read("v1,x=1x2x4x4,out=2,k=3"), Capabilities()))) == ()
