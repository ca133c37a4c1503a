import pytest
from torch.nn.functional import conv2d

from altered import CASE, judged_function
from convcheck import Capabilities, Status
from convcheck.model.token import read
from convcheck.model.transforms import Transform
from convcheck.oracles import Trial, find
from plugins import wrong_gradients

NAME = "function-transforms"


def of(function, *transforms, token=CASE):
    return [v for v in judged_function(function, NAME, token, transforms=transforms) if v.oracle == NAME]


@pytest.mark.parametrize("token", [CASE, "v1,x=3x5x4,out=4,k=2,bias=false", "v1,x=2x2x6x5,out=2,k=3,p=same,d=2"])
def test_torch_goes_through_all_of_them(token):
    found = of(conv2d, *Transform, token=token)
    assert {(v.clauses[0], v.status) for v in found} == {(t.clause, Status.PASS) for t in Transform}


@pytest.mark.parametrize("transform", Transform)
def test_a_wrong_rule_fails_under_the_clause_of_its_transform(transform):
    (found,) = of(wrong_gradients.mixes_slices, transform)
    assert (found.status, found.clauses[0]) == (Status.FAIL, transform.clause)


@pytest.mark.parametrize("transform", [Transform.VMAP, Transform.JVP])
def test_a_function_without_a_rule_fails_where_it_declares_one(transform):
    assert [v.status for v in of(wrong_gradients.right, transform)] == [Status.WRONGLY_REFUSED]


def test_a_meta_kernel_that_computes_elsewhere_fails():
    import torch

    def on_the_cpu(x, weight, bias, **layer):
        return conv2d(x, weight, bias, **layer) if x.device.type == "cpu" else torch.zeros(2, 6, 4, 5)

    assert [v.status for v in of(on_the_cpu, Transform.META)] == [Status.WRONGLY_REFUSED]


def test_nothing_is_asked_that_is_not_declared():
    assert not find(NAME).calls(Trial(read(CASE), Capabilities(gradients=True, autograd=True)))
    assert not of(wrong_gradients.mixes_slices)
