import pytest

from convcheck.model.rules import facts
from convcheck.model.token import read
from convcheck.triage.diagnosis.mutations import changed, terms_of
from convcheck.triage.diagnosis.repairs import repaired
from convcheck.triage.diagnosis.samples import Conjunction

SQUARE = read("v1,x=1x1x5x5,out=1,k=2,bias=false")


@pytest.mark.parametrize(
    ("rule", "name", "value"),
    [
        (("height == width",), "stride_h", 2),
        (("height == width", "kernel_h == 2"), "dilation_w", 2),
        (("output_w > 3",), "stride_w", 3),
        (("in_channels == out_channels",), "groups", 3),
        (("width <= 5",), "output_w", 9),
    ],
)
def test_a_changed_case_comes_back_into_the_rule_with_its_change(rule, name, value):
    conjunction = Conjunction(rule)
    assert conjunction.holds(SQUARE)
    case = changed(SQUARE, name, value)
    found = repaired(case, conjunction)
    assert conjunction.holds(found)
    # where the rule speaks of what was changed, that cannot stay
    assert getattr(terms_of(found), name) == value or "width" in rule[0]


def test_a_square_image_stays_square_whatever_the_stride():
    case = changed(SQUARE, "stride_h", 3)
    assert facts(case)["height"] != facts(case)["width"]
    found = facts(repaired(case, Conjunction(("height == width",))))
    assert (found["stride_h"], found["stride_w"]) == (3, 1)
    assert found["height"] == found["width"]


@pytest.mark.parametrize("part", ["dtype == 'float64'", "padding_same", "kernel_h > extent_h", "groups > out_channels"])
def test_what_cannot_be_mended_gives_no_case(part):
    assert repaired(SQUARE, Conjunction((part,))) is None


def test_a_case_within_the_rule_stays_as_it_is():
    assert repaired(SQUARE, Conjunction(("height == width",))) == SQUARE
