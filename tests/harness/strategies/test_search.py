from dataclasses import fields

import pytest

from convcheck import Capabilities
from convcheck.strategies import generate
from convcheck.strategies.draws import from_key
from convcheck.strategies.layers import MEDIUM_BUDGET
from convcheck.strategies.search import neighbours_worth_trying

CAPABILITIES = Capabilities(dtypes=("float32", "float16"), gradients=True, module=True)


@pytest.fixture(scope="module")
def drawn():
    return generate(CAPABILITIES, run_seed=0, block=0, size=80)


def legal(drawn):
    return [case for case in drawn if case.violation is None]


def test_neighbours_are_legal_affordable_and_one_step_away(drawn):
    for number, case in enumerate(legal(drawn)):
        near = neighbours_worth_trying(case, from_key(str(number)))
        assert len(set(near)) == len(near) >= 4
        assert case not in near
        for other in near:
            assert other.violation is None
            assert other.params.multiply_adds(other.input_shape) <= MEDIUM_BUDGET
            assert changes(case, other) in (
                {"seed"}, {"regime"}, {"layouts"}, {"arguments"}, {"input_shape"}, {"arguments", "input_shape"},
            )  # fmt: skip


def test_the_same_choices_give_the_same_neighbours(drawn):
    case = legal(drawn)[0]
    assert neighbours_worth_trying(case, from_key("a")) == neighbours_worth_trying(case, from_key("a"))
    assert neighbours_worth_trying(case, from_key("a")) != neighbours_worth_trying(case, from_key("b"))


def test_some_neighbour_sums_more(drawn):
    for case in legal(drawn):
        fan_in = case.params.fan_in
        near = neighbours_worth_trying(case, from_key("a"))
        cheap = case.params.multiply_adds(case.input_shape) < MEDIUM_BUDGET // 10
        assert not cheap or any(other.params.fan_in > fan_in for other in near)


def test_an_illegal_case_has_none(drawn):
    broken = [case for case in drawn if case.violation is not None]
    assert broken
    assert all(neighbours_worth_trying(case, from_key("a")) == () for case in broken)


def test_climbing_finds_a_larger_figure(drawn):
    """A search by these neighbours climbs: here the length of the sums stands for the margin."""
    case = min(legal(drawn), key=lambda c: c.params.multiply_adds(c.input_shape))
    start = case.params.fan_in
    for step in range(6):
        case = max((case, *neighbours_worth_trying(case, from_key(str(step)))), key=lambda c: c.params.fan_in)
    assert case.params.fan_in >= 16 * start


def changes(case, other):
    return {f.name for f in fields(case) if getattr(case, f.name) != getattr(other, f.name)}
