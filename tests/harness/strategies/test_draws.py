import math
from collections import Counter

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from convcheck.strategies.draws import BASE, Dealt, choices, from_hypothesis, from_key, opening_with, pick


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


class Answering:
    """As the `draw` of a composite strategy: answers from a list, and keeps what it was asked."""

    def __init__(self, answers):
        self.answers, self.asked = iter(answers), []

    def __call__(self, strategy):
        self.asked.append(strategy)
        return next(self.answers)


@given(st.data(), st.integers(1, 10**12))
def test_the_choices_of_a_value_lead_to_it(data, number):
    value = data.draw(st.integers(0, number - 1))
    draw = Answering(choices(value, number))
    assert from_hypothesis(draw)(7, 7 + number - 1) == 7 + value
    assert next(draw.answers, None) is None


@settings(max_examples=50)
@given(st.data(), st.integers(-50, 50), st.integers(0, 10**6))
def test_no_choice_is_among_more_than_a_hundred(data, low, most):
    asked = []

    def draw(strategy):
        asked.append(strategy)
        return data.draw(strategy)

    assert low <= from_hypothesis(draw)(low, low + most) <= low + most
    for strategy in asked:
        assert "max_value" in repr(strategy)
        assert int(repr(strategy).split("max_value=")[1].strip(")")) < BASE


@pytest.mark.parametrize("number", [101, 110, 250, 1999])
def test_large_ranges_are_drawn_evenly(number):
    draw = from_key(str(number))

    def of_hypothesis(strategy):
        return draw(0, int(repr(strategy).split("max_value=")[1].strip(")")))

    choose = from_hypothesis(of_hypothesis)
    upper = sum(choose(0, number - 1) >= number // 2 for _ in range(4000))
    assert 1850 < upper < 2150


def test_given_choices_come_before_drawn_ones():
    draw = opening_with((3, 4), lambda _low, high: high)
    assert [draw(0, 9) for _ in range(3)] == [3, 4, 9]


def test_turns_take_every_combination_of_the_first_choices():
    def drawn(turn):
        draw = Dealt(turn, 96, lambda low, _high: -low)
        return draw(0, 3), draw(5, 6), draw(0, 11), draw(7, 8)

    found = [drawn(turn) for turn in range(96)]
    assert [first for first, *_ in found[:5]] == [0, 1, 2, 3, 0]
    assert len(set(found)) == 96
    assert {last for *_, last in found} == {-7}  # what turns do not suffice for is drawn


@pytest.mark.parametrize("ranges", [(3,), (4, 1), (3, 1), (2, 5, 1)])
def test_each_combination_has_both_sides_within_two_rounds(ranges):
    def drawn(turn):
        draw = Dealt(turn, 96, lambda low, _high: low)
        return tuple(draw(0, high) for high in ranges), draw.side()

    combinations = math.prod(high + 1 for high in ranges)
    for first in range(5):
        found = [drawn(first + n) for n in range(2 * combinations)]
        assert len(set(found)) == 2 * combinations
        assert {side for _, side in found[:4]} == {0, 1}
