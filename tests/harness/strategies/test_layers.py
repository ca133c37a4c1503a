from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcheck import Capabilities, Case
from convcheck.strategies.draws import from_key
from convcheck.strategies.layers import (
    COMMON_BUDGET,
    MEDIUM_BUDGET,
    SMALL_BUDGET,
    Axis,
    Channels,
    Plan,
    common,
    deep,
    fitting,
    medium,
    modes,
    small,
    spell,
)

EVERYTHING = Capabilities()
LITTLE = Capabilities(
    groups=False, dilation=False, string_padding=False, unbatched=False, empty_batch=False, padding_modes=("zeros",)
)
KINDS = {"small": small, "common": common, "deep": deep, "medium": medium}
AXES = st.builds(
    Axis,
    size=st.integers(8, 40),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 3),
    padding=st.integers(0, 3),
    dilation=st.integers(1, 2),
)
CHANNELS = st.builds(lambda g, i, o: Channels(g, g * i, g * o), *[st.integers(1, 40)] * 3)
PLANS = st.builds(Plan, AXES, AXES, CHANNELS, batch=st.one_of(st.none(), st.integers(0, 20)), bias=st.booleans())


def drawn(kind, capabilities=EVERYTHING, count=150):
    """Plans of one kind."""
    return [KINDS[kind](from_key(f"{kind} {number}"), capabilities) for number in range(count)]


def case_of(plan, key="0"):
    return Case(*spell(from_key(key), plan))


@pytest.mark.parametrize("capabilities", [EVERYTHING, LITTLE], ids=["everything", "little"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_layer_is_legal_and_declared(kind, capabilities):
    for plan in drawn(kind, capabilities):
        case = case_of(plan)
        assert case.violation is None
        assert capabilities.unsupported(case) is None
        assert plan.supported(capabilities)


@pytest.mark.parametrize("kind", KINDS)
def test_layers_of_a_kind_are_many(kind):
    assert len({case_of(plan).token for plan in drawn(kind)}) > 100


@pytest.mark.parametrize(
    ("kind", "budget"), [("small", SMALL_BUDGET), ("common", COMMON_BUDGET), ("medium", MEDIUM_BUDGET)]
)
def test_a_layer_costs_no_more_than_its_budget_unless_nothing_is_left_to_halve(kind, budget):
    for plan in drawn(kind):
        halved = (plan.batch or 1, plan.channels) == (1, Channels(1, 1, 1))
        assert plan.cost <= budget or halved


def test_medium_layers_have_many_images_of_some_size():
    plans = drawn("medium")
    assert all(min(plan.height.size, plan.width.size) >= 16 for plan in plans)
    assert sum(plan.batch >= 8 for plan in plans) > 0.9 * len(plans)


def test_deep_layers_leave_tails_of_channels_and_count_weights_beyond_16_bits():
    plans = drawn("deep")
    assert all(max(plan.channels.inputs, plan.channels.outputs) > 64 for plan in plans)
    weights = [case_of(plan).params.fan_in * plan.channels.outputs for plan in plans]
    assert max(weights) > 2**16
    assert any(plan.channels.groups == plan.channels.inputs for plan in plans)


@settings(deadline=None)
@given(PLANS, st.integers(1, 10**6))
def test_a_plan_within_a_budget_is_the_same_layer_with_less_of_it(plan, budget):
    fitted = plan.within(budget)
    channels = fitted.channels
    assert channels.inputs % channels.groups == channels.outputs % channels.groups == 0
    assert replace(fitted, channels=plan.channels, batch=plan.batch) == plan
    assert (fitted.batch is None) == (plan.batch is None)
    assert fitted.cost <= plan.cost
    if plan.cost <= budget:
        assert fitted == plan
    else:
        assert fitted.cost <= budget or (fitted.batch or 1, channels) == (1, Channels(1, 1, 1))


@settings(deadline=None)
@given(PLANS)
def test_the_cost_counts_every_product(plan):
    case = case_of(plan)
    assert plan.cost >= case.params.multiply_adds((max(1, case.batch), *case.input_shape[-3:]))


@settings(deadline=None)
@given(PLANS, st.integers(0, 100))
def test_every_spelling_means_the_plan(plan, number):
    case = case_of(plan, str(number))
    params = case.params
    axes = (plan.height, plan.width)
    assert params.kernel_size == tuple(axis.kernel for axis in axes)
    assert params.stride == tuple(axis.stride for axis in axes)
    assert params.dilation == tuple(axis.dilation for axis in axes)
    assert params.padding == tuple((axis.padding,) * 2 for axis in axes)
    assert case.input_shape[-2:] == tuple(axis.size for axis in axes)
    assert (case.unbatched, params.bias) == (plan.batch is None, plan.bias)


def test_equal_pairs_are_spelled_as_an_int_now_and_then():
    square = Plan(Axis(5, 2), Axis(5, 2), Channels(1, 1, 1))
    spelled = {spell(from_key(str(number)), square)[0].kernel_size for number in range(30)}
    assert spelled == {2, (2, 2)}


@settings(deadline=None)
@given(
    key=st.text(max_size=3),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
    padding=st.integers(0, 6),
    mode=st.sampled_from(EVERYTHING.padding_modes),
)
def test_a_fitting_axis_is_legal_in_its_mode(key, kernel, stride, dilation, padding, mode):
    axis = fitting(from_key(key), kernel, stride, dilation, padding, mode)
    assert case_of(Plan(axis, axis, Channels(1, 1, 1), mode=mode)).violation is None


def test_zeros_come_as_often_as_all_other_modes_together():
    found = modes(EVERYTHING)
    assert found.count("zeros") > len(found) // 2
    assert set(found) == set(EVERYTHING.padding_modes)
    assert modes(Capabilities(padding_modes=("circular",))) == ("circular",)
