"""Defects that show where the gradients of some operands alone are asked for."""

import numpy as np
import pytest

from convcheck import Status
from convcheck.defects import partial_gradients
from convcheck.execution import InProcessCandidate
from convcheck.judging.judge import judge_case
from convcheck.model.rules import facts
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.oracles import ORACLES, find
from convcheck_reference import Conv2dParams

EVERYTHING = read("v1,x=2x4x9x8,out=4,k=3x2,s=2x1,p=1,d=1x2,g=2,mode=reflect")
PLAIN = read("v1,x=1x2x5x5,out=2,k=1,bias=false")
WITHOUT_OWN_CALLS = [oracle for oracle in ORACLES if not oracle.has_own_calls]


def failing(item, case, oracles):
    found, _, _ = judge_case(InProcessCandidate(item.backend), case, oracles)
    return [v for v in found if v.status in FAILURES]


@pytest.mark.parametrize("item", partial_gradients.DEFECTS, ids=lambda item: item.name)
def test_it_shows_in_partial_gradients_and_nowhere_else(item):
    assert item.region.holds(facts(EVERYTHING))
    assert not failing(item, EVERYTHING, WITHOUT_OWN_CALLS)
    (found,) = failing(item, EVERYTHING, [find("gradients-partial")])
    assert (found.status, found.clauses[0]) == (Status.FAIL, "C2D-GRAD-8")
    assert found.quantity.replace("_", "-") in item.name


@pytest.mark.parametrize("item", partial_gradients.DEFECTS, ids=lambda item: item.name)
def test_outside_its_region_it_is_the_reference(item):
    if item.region.holds(facts(PLAIN)):
        pytest.skip("there is no outside")
    assert not failing(item, PLAIN, [find("gradients-partial")])


def test_what_nobody_asked_for_is_none():
    params, rng = Conv2dParams(2, 3, 2), np.random.default_rng(0)
    shapes = params.output_shape((2, 2, 4, 4)), (2, 2, 4, 4), params.weight_shape, params.bias_shape
    tensors = [rng.standard_normal(shape) for shape in shapes]
    for item in partial_gradients.DEFECTS:
        found = item.backend().conv2d_partial_backward(("weight",), *tensors, params)
        assert (found.input, found.bias) == (None, None)
        assert found.weight.shape == params.weight_shape
