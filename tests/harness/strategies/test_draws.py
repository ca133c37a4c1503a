from collections import Counter

from hypothesis import find, given, settings
from hypothesis import strategies as st

from convcheck.strategies.draws import from_hypothesis, from_key, pick


@st.composite
def picked(draw, values):
    return pick(from_hypothesis(draw), values)


def test_a_key_gives_the_same_choices_in_every_process_and_version():
    draw = from_key("run 0, block 3")
    assert [draw(0, 99) for _ in range(8)] == [64, 47, 98, 61, 49, 24, 60, 61]


@settings(deadline=None)
@given(key=st.text(), low=st.integers(-50, 50), width=st.integers(0, 3))
def test_both_ends_can_be_drawn_and_nothing_beyond(key, low, width):
    draw = from_key(key)
    assert {draw(low, low + width) for _ in range(100)} == set(range(low, low + width + 1))


def test_another_key_gives_other_choices():
    assert from_key("a")(0, 2**64) != from_key("b")(0, 2**64)


def test_a_repeated_value_is_drawn_as_often_as_it_stands_there():
    draw = from_key("0")
    counts = Counter(pick(draw, ("often", "often", "often", "seldom")) for _ in range(1000))
    assert 600 < counts["often"] < 900


def test_hypothesis_shrinks_to_the_first_value():
    quick = settings(database=None, derandomize=True)
    assert find(picked(["plain", "other", "rare"]), lambda _: True, settings=quick) == "plain"
    assert find(picked(["plain", "other", "rare"]), lambda value: value != "plain", settings=quick) == "other"
