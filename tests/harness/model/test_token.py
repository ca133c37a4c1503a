import math

import pytest
from hypothesis import given, settings

from convcheck import Capabilities, Case, TokenError
from convcheck.model.token import read
from convcheck.strategies import cases
from convcheck_reference import Arguments


@settings(max_examples=200, deadline=None)
@given(cases(Capabilities(dtypes=("float32", "float64", "bfloat16"), gradients=True, module=True)))
def test_a_descriptor_gives_the_case_back(case):
    assert read(case.token) == case
    assert read(case.token).token == case.token


@pytest.mark.parametrize("value", [math.nan, "same ", " same", "SAME", 1.9, True, None, (1, 2, 3), (1, 1.5)])
def test_any_spelling_gives_itself_back(value):
    case = Case(Arguments(3, 10, 5, padding=value), (16, 3, 28, 28))
    assert read(case.token) == case
    assert " " not in case.token


def test_defaults_are_left_out():
    case = Case(Arguments(3, 10, 5, padding=2), (16, 3, 28, 28))
    assert case.token == "v1,x=16x3x28x28,out=10,k=5,p=2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x=1x1x1x1,out=1,k=1", "starts with its version"),
        ("v1,x=1x1x1x1,out=1", "lacks k"),
        ("v1,x=1x1x1x1,out=1,k=1,stride=2", "not one of the fields"),
        ("v1,x=1x1x1x1,out=1,k=1,k=2", "stands twice"),
        ("v1,x=1x1x1x1,out=1,k=1,dtype=int8", "expected one of float16"),
        ("v1,x=1xax1,out=1,k=1", "is no shape"),
        ("v1,x=1x1x1x1,out=1,k=1,seed=-1", "no count"),
    ],
)
def test_a_bad_descriptor_says_what_is_wrong(text, message):
    with pytest.raises(TokenError, match=message):
        read(text)


def test_a_bias_follows_a_sliced_weight_unless_it_is_spelled_as_before_it_could_be():
    old = read("v1,x=1x2x5x4,out=3,k=2,layout=sliced")
    assert old.layout_bias == "sliced"
    assert old.token == "v1,x=1x2x5x4,out=3,k=2,layout=sliced"
    assert (old.placement, read("v1,x=1x2x5x4,out=3,k=2,layout-x=sliced").layout_bias) == ("aligned", "contiguous")
    for token in (
        "v1,x=1x2x5x4,out=3,k=2,layout=sliced,layout-bias=contiguous",
        "v1,x=1x2x5x4,out=3,k=2,layout-x=order-2310,layout-weight=channels_last+offset,layout-grad=expanded_pixels",
        "v1,x=1x2x5x4,out=3,k=2,layout-bias=step,placement=at_end",
        "v1,x=1x2x5x4,out=3,k=2,bias=false,layout=sliced",
    ):
        assert read(token).token == token
