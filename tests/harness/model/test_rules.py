import pytest
from hypothesis import given, settings

from convcheck.model.rules import NAMES, Rule, RuleError, facts
from convcheck.model.token import read
from mangled import mangled

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


def test_of_several_it_says_as_of_each():
    several = [facts(read(f"v1,x=1x2x3x{width},out=2,k=1")) for width in (3, 5, 8)]
    assert list(Rule("width > 4").holding(several)) == [False, True, True]


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dtype == 'float8'", "dtype is never 'float8'; did you mean 'float"),
        ("padding_mode in ('zero', 'edge')", "padding_mode is never 'zero'; did you mean 'zeros'"),
        ("entry != 3", "entry is never 3; expected one of function, module"),
        ("groups == 'many'", "''many'' stands where a number|'many'.* stands where a number"),
        ("dtype < 3", "'dtype' stands where a number or a condition is expected"),
        ("dtype + 3 == 4", "'dtype' stands where a number"),
        ("dtype", "'dtype' stands where a number"),
        ("'a' * 1000000000 == dtype", "dtype is never 'a' \\* 1000000000"),
        ("(1,) * 1000000000 == groups", "stands where a number"),
        ("groups in groups", "'groups' stands where several values are expected"),
        ("groups in ()", "several values are expected"),
        ("groups is 1", "'is' has no meaning"),
        ("1 // 0 == 1", "'0' may be 0; divide by a number"),
        ("width % padding_w == 1", "'padding_w' may be 0"),
        ("width % (stride_w - 1) == 1", "'stride_w - 1' may be 0"),
        ("not " * 2400 + "bias", "cannot be read"),
        ("(" * 300 + "bias" + ")" * 300, "cannot be read"),
        ("groups > " + "9" * 5000, "cannot be read"),
        ("bias and " * 2000 + "bias", "a rule of 18,004 characters"),
        ("bias\0", "cannot be read"),
    ],
)
def test_what_holds_for_no_case_or_cannot_be_evaluated_is_refused(text, message):
    with pytest.raises(RuleError, match=message):
        Rule(text)


@pytest.mark.parametrize(
    "text",
    [
        "kernel_h % stride_h == 0",
        "dtype in ('float16', 'bfloat16') and values != 'wide'",
        "layout_x == layout_weight",
        "left_over_h + left_over_w > 0.5",
        "-1 < padding_h <= (bias + groups) * 2",
        "bias == (groups > 1)",
    ],
)
def test_what_means_something_is_taken(text):
    assert Rule(text).holds(facts(CASE)) in (True, False)


@settings(max_examples=200, deadline=None)
@given(
    mangled(
        "groups > 1 and not (stride_h % 3 == 1 or bias)",
        "dtype in ('float16', 'float64')",
        "-width // 2 < 3 * left_over_w",
    )
)
def test_any_text_is_a_rule_that_can_be_asked_or_refused(text):
    try:
        rule = Rule(text)
    except RuleError:
        return
    assert rule.holds(facts(CASE)) in (True, False)
