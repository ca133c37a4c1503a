import math

import pytest
import typer
from hypothesis import given, settings

from convcheck.cli.numbers import MOST_DIMENSIONS, MOST_SECONDS, finite, seconds, shape
from convcheck_reference.params import MAX_INDEX
from mangled import mangled


@pytest.mark.parametrize(("text", "found"), [("", None), ("90s", 90), ("5m", 300), ("1.5h", 5400), ("7", 7)])
def test_times_have_units(text, found):
    assert seconds(text, "--time") == found


@pytest.mark.parametrize(
    "text", ["soon", "s", "0s", "-5m", "1d", "nan", "inf", "1e400s", "1e300h", "9" * 5000, "\x1b[31m"]
)
def test_what_is_no_time_is_refused_with_what_is_expected(text):
    with pytest.raises(typer.BadParameter, match=r"--diagnosis-time .* is no time; expected 90s, 5m or 1h") as caught:
        seconds(text, "--diagnosis-time")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["16,3,28,28", "16x3x28x28", " 16, 3,28 ,28"])
def test_shapes_are_written_in_two_ways(text):
    assert shape(text) == (16, 3, 28, 28)


@pytest.mark.parametrize("text", ["", "x", "1,,2", "1.5,1,1", "9" * 4300, ",".join("1" * 101), f"1,{MAX_INDEX + 1},1"])
def test_what_is_no_shape_is_refused(text):
    with pytest.raises(typer.BadParameter, match=r"--input .* is (no shape|too large); expected"):
        shape(text)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_lies_in_no_range(value):
    with pytest.raises(typer.BadParameter, match="is no number"):
        finite(value)
    assert finite(0.1) == 0.1


@settings(max_examples=100, deadline=None)
@given(mangled("90s", "1.5h", "5m"))
def test_any_text_is_a_time_or_refused(text):
    try:
        found = seconds(text, "--time")
    except typer.BadParameter:
        return
    assert found is None or 0 < found <= MOST_SECONDS


@settings(max_examples=100, deadline=None)
@given(mangled("16,3,28,28", "3x4x5"))
def test_any_text_is_a_shape_or_refused(text):
    try:
        found = shape(text)
    except typer.BadParameter:
        return
    assert 0 < len(found) <= MOST_DIMENSIONS
    assert max(map(abs, found)) <= MAX_INDEX * 10
