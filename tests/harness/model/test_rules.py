import pytest

from convcheck.model.rules import NAMES, Rule, RuleError, facts
from convcheck.model.token import read

CASE = read("v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x0,g=2")


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("groups > 1 and stride_h != stride_w", True),
        ("groups == 1 or not bias", False),
        ("1 < groups < in_channels", True),
        ("output_w % 4 == 1", True),
        ("padding_mode in ('reflect', 'circular')", False),
        ("left_over_h == 0 and height - extent_h == 4", True),
        ("dtype == 'float32' and layout_x != 'channels_last'", True),
    ],
)
def test_a_rule_holds_or_not(text, holds):
    assert Rule(text).holds(facts(CASE)) is holds


def test_same_with_an_even_kernel_pads_more_below_and_to_the_right():
    found = facts(read("v1,x=1x1x5x5,out=1,k=2x4,p=same"))
    assert [found[n] for n in ("padding_h", "pad_bottom", "padding_w", "pad_right")] == [0, 1, 1, 2]
    assert set(found) == set(NAMES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("group > 1", "did you mean groups"),
        ("groups >", "cannot be read"),
        ("__import__('os')", "has no meaning"),
        ("groups.real", "has no meaning"),
        ("[g for g in groups]", "has no meaning|nothing of a case"),
    ],
)
def test_what_is_no_rule_says_why(text, message):
    with pytest.raises(RuleError, match=message):
        Rule(text)


def test_conditions_are_what_holds_all_at_once():
    rule = Rule("(kernel_h > 1 or kernel_w > 1) and groups == 2 and extent_h == height and extent_w == width")
    assert rule.conditions == {"kernel_h > 1 or kernel_w > 1", "groups == 2", "extent_h == height", "extent_w == width"}
    assert Rule("").conditions == frozenset()
    assert Rule("bias or groups > 1").conditions == {"bias or groups > 1"}


@pytest.mark.parametrize(
    ("text", "transposed"),
    [
        ("", ""),
        ("groups > 1 and dtype == 'float16'", "groups > 1 and dtype == 'float16'"),
        ("padding_h >= extent_h and output_h == 1", "padding_w >= extent_w and output_w == 1"),
        ("height % 4 == width and pad_right > 0", "width % 4 == height and pad_bottom > 0"),
        ("layout_x == 'step_rows' or stride_h != stride_w", "layout_x == 'step_rows' or stride_w != stride_h"),
    ],
)
def test_a_transposed_rule_has_height_and_width_exchanged(text, transposed):
    assert Rule(text).transposed == Rule(transposed)
    assert Rule(text).transposed.transposed == Rule(text)
