import pytest

from convcheck import Capabilities
from convcheck.model.case import LAYOUTS
from convcheck.model.rules import Rule, facts
from convcheck.model.token import read
from convcheck.strategies.plain import PlainSpace
from convcheck.triage.free_parameters import Explained, explain
from convcheck.triage.trials import Trials

SPACE = PlainSpace.of(Capabilities(dtypes=("float32", "float64", "float16"), module=True)).with_sparse_data()
LEAST = read("v1,x=1x1x1x1,out=1,k=1,bias=false,nonzeros=1")


def trials_of(rule, case, most=300):
    return Trials(case, lambda tried: Rule(rule).holds(facts(tried)), most)


def free(rule, token, most=300):
    trials = trials_of(rule, read(token), most)
    return explain(read(token), trials, SPACE).free


def test_parameters_that_a_defect_does_not_depend_on_are_free_and_no_others():
    found = free("groups > 1 and stride_w > 1", "v1,x=1x2x1x1,out=2,k=1,s=1x2,g=2,bias=false,nonzeros=1")
    assert {"dilation", "dtype", "layout", "padding_mode", "kernel_size", "batch", "stride_h", "entry"} <= set(found)
    assert not {"groups", "stride", "stride_w"} & set(found)
    found = free("dilation_h > 1", "v1,x=1x1x1x1,out=1,k=1,d=2x1,bias=false,nonzeros=1")
    assert {"dilation_w", "stride", "groups"} <= set(found)
    assert not {"dilation", "dilation_h"} & set(found)


def test_one_value_that_passes_is_enough_not_to_be_free():
    assert "in_channels" in free("", LEAST.token)
    assert "in_channels" not in free("in_channels != 4", LEAST.token)
    assert "layout" not in free("layout_grad != 'broadcast'", LEAST.token)
    assert {"layout_x", "layout_weight"} <= set(free("layout_grad != 'broadcast'", LEAST.token))


@pytest.mark.parametrize("layout", LAYOUTS[1::8])
def test_every_value_is_looked_at(layout):
    found = free(f"layout_weight != '{layout}'", LEAST.token)
    assert {"layout_x", "layout_grad"} <= set(found)
    assert not {"layout", "layout_weight"} & set(found)


@pytest.mark.parametrize(
    ("token", "meaningless"),
    [
        ("v1,x=1x1x3x3,out=1,k=3,p=same,bias=false,nonzeros=1", {"stride", "padding_h", "padding_w"}),
        ("v1,x=1x1x3x3,out=1,k=3,bias=false,entry=module", {"values", "layout_weight", "layout_grad"}),
        ("v1,x=1x3x3,out=1,k=3,bias=false,nonzeros=1", {"batch"}),
    ],
)
def test_nothing_is_said_of_what_makes_no_difference_to_the_case(token, meaningless):
    assert not meaningless & set(free("", token))


def test_what_a_backend_has_no_choice_of_is_not_free():
    few = Capabilities(padding_modes=("zeros",), groups=False, dilation=False, layouts=("contiguous",))
    found = explain(LEAST, trials_of("", LEAST), PlainSpace.of(few).with_sparse_data()).free
    assert {"stride", "kernel_size"} <= set(found)
    assert not {"dtype", "padding_mode", "groups", "dilation", "layout", "entry"} & set(found)


def test_what_was_not_looked_at_is_not_free():
    assert free("", LEAST.token, most=0) == ()
    some = free("", LEAST.token, most=30)
    assert "dtype" in some
    assert "bias" not in some


def test_the_explanation_takes_about_170_trials():
    trials = trials_of("", LEAST, 300)
    explain(LEAST, trials, SPACE)
    assert 100 <= trials.tried <= 200


def test_data_and_spellings_stay_as_they_are_while_parameters_are_looked_at():
    case = read("v1,x=1x1x1x1,out=1,k=1x1,s=1x1,bias=false,seed=123456")
    asked = []
    explain(case, Trials(case, lambda tried: bool(asked.append(tried)) or True, 300), SPACE)
    assert {(tried.seed, tried.nonzeros) for tried in asked} == {(123456, None)}
    assert all(isinstance(tried.arguments.kernel_size, tuple) for tried in asked)


def test_a_simpler_case_that_the_explanation_meets_is_explained_instead():
    case = read("v1,x=1x1x1x1,out=1,k=1,d=1x2,bias=false,nonzeros=1")
    found = explain(case, trials_of("", case), SPACE)
    assert found.case == LEAST
    assert "dilation" in found.free


@pytest.mark.parametrize("error", [OSError("gone"), KeyboardInterrupt()])
def test_what_a_candidate_raises_comes_out_as_it_is(error):
    def fails(_):
        raise error

    with pytest.raises(type(error)) as caught:
        explain(LEAST, Trials(LEAST, fails, 100), SPACE)
    assert caught.value is error


@pytest.mark.parametrize("token", ["v1,x=1x1x4x4,out=1,k=5", "v1,x=1x1x200x1,out=1,k=150x1"])
def test_of_what_has_no_numbers_nothing_is_said(token):
    case = read(token)
    trials = trials_of("", case)
    assert explain(case, trials, SPACE) == Explained(case)
    assert trials.tried == 0
