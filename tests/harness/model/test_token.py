import math

import pytest
from hypothesis import given, settings

from convcheck import Capabilities, Case, TokenError
from convcheck.model.ladder import Ladder
from convcheck.model.size_limits import excess
from convcheck.model.token import LONGEST, read
from convcheck.strategies import cases
from convcheck.strategies.layers import spell
from convcheck.strategies.realistic import as_published, published
from convcheck.strategies.thin import DECKS, deck
from convcheck_reference import Arguments
from mangled import mangled


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "v1,x=1x3x100000x100000,out=1,k=1",
            "elements of the padded input: 30,000,000,000; expected at most 67,108,864",
        ),
        ("v1,x=1x1x4x4,out=1,k=1,p=1000000000", "elements of the padded input: 4,000,000,016,000,000,016"),
        ("v1,x=1x1x4x4,out=99999999999,k=1", "elements of the weight: 99,999,999,999"),
        ("v1,x=1x9x4x4,out=99999999999,k=0", "elements of the weight: 899,999,999,991"),
        ("v1,x=1x1x5000x5000,out=2,k=1", "elements of padded input and weight and output together: 75,000,002"),
        ("v1,x=1x1x1x9000000,out=1,k=1,layout=sliced", "elements in memory with the gaps of these layouts"),
        ("v1,x=1x1x4000x4000,out=1,k=99,p=49", "elements of im2col: 156,816,000,000"),
        ("v1,x=1x1024x256x256,out=1024,k=1,g=1", "multiply-adds: 68,719,476,736|together"),
        (f"v1,x=1x1x4x4,out=1,k={'9' * 400}", r"k='9{19}'… \(400 characters\) is too large: sizes are signed 64-bit"),
        (f"v1,x=1x1x4x4,out=1,k=1,seed={2**63}", "seed='9223372036854775808' is too large"),
        (f"v1,x={'x'.join('1' * 101)},out=1,k=1", "x has 101 numbers, .*; expected at most 8"),
        ("v1,x=1x1x4x4,out=1,k=1,p=" + "a" * LONGEST, "a case of 4,121 characters, .*; expected at most 4,096"),
    ],
)
def test_what_is_too_large_is_refused_before_anything_is_allocated(text, message):
    with pytest.raises(TokenError, match=message):
        read(text)


@pytest.mark.parametrize("ladder", Ladder)
def test_nothing_that_is_drawn_is_too_large(ladder):
    plans = [*deck(ladder, DECKS - 1), *map(as_published, published(ladder))]
    layouts = ("contiguous", "sliced", "step")
    cases = [Case(*spell(lambda low, _: low, plan), layouts=(layout,) * 3) for plan in plans for layout in layouts]
    assert [excess(case) for case in cases] == [""] * len(cases)


@settings(max_examples=200, deadline=None)
@given(mangled("v1,x=16x3x28x28,out=10,k=5x3,p=same,g=none,seed=3", "v1,x=3x4x5,out=2,k=2.5,bias=true,layout=sliced"))
def test_any_text_is_a_case_or_refused(text):
    try:
        case = read(text)
    except TokenError:
        return
    assert read(case.token) == case
