import numpy as np
import pytest

from convcheck.model.rules import facts
from convcheck.model.token import read
from convcheck.triage.diagnosis.breaking import MOST, attempts
from convcheck.triage.diagnosis.changes import same_image
from convcheck.triage.diagnosis.mutations import with_changes
from convcheck.triage.diagnosis.samples import Conjunction, Samples

LONG_SUM = read("v1,x=1x33x4x4,out=2,k=3,bias=false")
SQUARE = read("v1,x=1x1x4x4,out=1,k=2,bias=false")


def drawn(rule, base):
    conjunction = Conjunction(rule)
    assert conjunction.holds(base)
    return [
        (facts(c), conjunction.holds(c)) for c in attempts(conjunction, [base], Samples(), np.random.default_rng(1))
    ]


def test_a_product_is_tried_on_both_sides_of_its_bound():
    found = drawn(("in_per_group * kernel_h * kernel_w > 255",), LONG_SUM)
    lengths = {one["in_per_group"] * one["kernel_h"] * one["kernel_w"]: inside for one, inside in found}
    assert lengths[255] is False
    assert lengths[256] is True


@pytest.mark.parametrize("other", ["stride_h != stride_w", "dilation_h != dilation_w", "padding_h != padding_w"])
def test_what_a_rule_about_sizes_does_not_speak_of_is_tried_within_it(other):
    found = drawn(("height == width", "kernel_h == kernel_w"), SQUARE)
    names = other.split(" != ")
    assert any(inside and one[names[0]] != one[names[1]] for one, inside in found)


def test_half_of_the_attempts_are_within_the_rule_and_none_comes_twice():
    conjunction = Conjunction(("kernel_h > 1",))
    found = attempts(conjunction, [SQUARE], Samples(), np.random.default_rng(1))
    assert len({case.token for case in found}) == len(found) == MOST
    assert sum(map(conjunction.holds, found)) == MOST // 2


def test_neither_operand_is_one_number():
    found = drawn(("kernel_h > 1",), SQUARE)
    assert "broadcast" not in {one[name] for one, _ in found for name in ("layout_x", "layout_weight")}


def test_each_value_that_a_condition_allows_is_tried_with_every_other_condition_turned_round():
    base = read("v1,x=2x2x4x4,out=2,k=2,bias=false,layout-grad=channels_last")
    found = drawn(("layout_grad in ('channels_last', 'transposed')", "out_channels > 1"), base)
    alone = [one["layout_grad"] for one, inside in found if not inside and one["out_channels"] == 1]
    assert min(alone.count("channels_last"), alone.count("transposed")) >= 10


def test_padding_same_is_tried_where_the_smallest_kernel_would_have_none():
    found = drawn(("dilation_w > 1", "padding_w > 0"), read("v1,x=1x1x1x1,out=1,k=1,p=0x1,d=1x2,bias=false"))
    assert any(inside and one["padding_same"] for one, inside in found)


@pytest.mark.parametrize("inside", [True, False])
def test_an_image_of_the_same_size_is_tried_with_more_and_with_fewer_windows(inside):
    base = read("v1,x=1x1x1x1025,out=1,k=1,bias=false")
    found = drawn(("width > 1024",), base) if inside else drawn(("output_w > 1024",), base)
    other = "output_w" if inside else "width"
    assert any(within is not (one[other] > 1024) for one, within in found)


def test_windows_are_as_many_as_the_image_has_room_for():
    found = [with_changes(SQUARE, changes) for changes in same_image(SQUARE, ("height", "output_w"))]
    shapes = {case.input_shape for case in found if case is not None}
    assert shapes == {(1, 1, 4, 4), (1, 1, 3, 4), (1, 1, 2, 4), (1, 1, 4, 3), (1, 1, 4, 2)}
    assert len({case.output_shape for case in found if case is not None}) > 4
    assert same_image(SQUARE, ("kernel_h", "batch")) == ()


def test_each_of_two_sizes_that_mostly_go_together_is_tried_without_the_other():
    found = drawn(("width > 1024", "output_w > 1024"), read("v1,x=1x1x1x1025,out=1,k=1,bias=false"))
    assert any(one["width"] <= 1024 < one["output_w"] for one, _ in found)


def test_no_multiple_of_a_bound_is_left_to_chance():
    rule = ("out_per_group > 96", "output_h * output_w > 32")
    found = drawn(rule, read("v1,x=1x1x33x1,out=97,k=1,bias=false"))
    assert {95, 96, 192, 193, 288} <= {one["out_per_group"] for one, _ in found if one["output_h"] == 33}
