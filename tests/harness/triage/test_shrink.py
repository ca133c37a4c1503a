from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convcheck import Capabilities
from convcheck.model.rules import Rule, facts
from convcheck.model.token import read
from convcheck.strategies import cases
from convcheck.triage.shrink import shrink, simpler

RULES = (
    "",
    "groups > 1 and stride_w > 1",
    "output_w % 4 == 1 and output_w > 4",
    "kernel_h > 2 and padding_w > 0",
    "in_per_group > 3",
    "stride_h != stride_w",
    "padding_mode != 'zeros'",
    "dtype == 'float16' and not bias",
)
LEGAL = cases(Capabilities(dtypes=("float32", "float16"))).filter(lambda c: c.violation is None)


def fails_by(rule):
    return lambda case: case.violation is None and rule.holds(facts(case))


@given(case=LEGAL, rule=st.sampled_from(RULES).map(Rule))
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_left_fails_is_no_larger_and_has_no_simpler_neighbour_that_fails(case, rule):
    fails = fails_by(rule)
    if not fails(case):
        return
    smallest = shrink(case, fails, most=2000)
    assert fails(smallest)
    assert smallest.params.multiply_adds(smallest.input_shape) <= case.params.multiply_adds(case.input_shape)
    assert not any(fails(neighbour) for neighbour in simpler(smallest))


BIG = "v1,x=4x24x30x37,out=24,k=3x5,s=2x1,p=1x2,d=1x2,g=4,dtype=float16,values=wide,layout=sliced,seed=99"


@pytest.mark.parametrize(
    ("rule", "smallest"),
    [
        ("", "v1,x=1x1x1x1,out=1,k=1,bias=false,nonzeros=1"),
        ("groups > 1 and kernel_w > 1", "v1,x=1x2x1x2,out=2,k=1x2,g=2,bias=false,nonzeros=1"),
        ("stride_h != stride_w", "v1,x=1x1x1x1,out=1,k=1,s=2x1,bias=false,nonzeros=1"),
        ("output_w % 4 == 1 and output_w > 4", "v1,x=1x1x1x5,out=1,k=1,bias=false,nonzeros=1"),
        ("in_channels >= 13", "v1,x=1x13x1x1,out=1,k=1,bias=false,nonzeros=1"),
        ("layout_weight == 'sliced'", "v1,x=1x1x1x1,out=1,k=1,bias=false,layout-x=contiguous,nonzeros=1"),
    ],
)
def test_the_smallest_case_in_few_calls(rule, smallest):
    asked = []

    def fails(case):
        asked.append(case)
        return fails_by(Rule(rule))(case)

    found = shrink(read(BIG), fails)
    expected = read(smallest)
    if "layout" in rule:
        expected = replace(expected, layouts=("contiguous", "sliced", "contiguous"))
    assert found == expected
    assert len(asked) <= 160


def test_an_illegal_case_stays_illegal_in_the_same_way():
    case = read("v1,x=3x8x9x9,out=8,k=3,s=0,p=1,g=2,dtype=float16")
    found = shrink(case, lambda c: type(c.violation) is type(case.violation))
    assert type(found.violation) is type(case.violation)
    assert found.input_shape == (1, 1, 1, 1)
