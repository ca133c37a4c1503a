import zlib
from itertools import islice

import numpy as np
import pytest

from convcheck.model.diagnosis import ENOUGH_ATTEMPTS, FailureCondition
from convcheck.model.rules import Rule, facts
from convcheck.model.token import read
from convcheck.triage.diagnosis.breaking import attempts
from convcheck.triage.diagnosis.failure_condition import MOST_ATTEMPTS, learn, measured
from convcheck.triage.diagnosis.mutations import resized, single_changes, variations
from convcheck.triage.diagnosis.samples import MOST_CASES, Conjunction, Samples

BASES = {
    "groups > 1 and dilation_w > 1 and stride_w > 1": "v1,x=2x6x5x13,out=6,k=1x2,s=1x2,d=1x2,g=2",
    "stride_h != stride_w": "v1,x=2x3x5x11,out=3,k=1,s=1x2",
    "output_w > 4 and output_w % 4 == 1": "v1,x=2x3x5x9,out=3,k=1",
    "padding_same and pad_right > padding_w": "v1,x=2x3x5x6,out=3,k=1x2,p=same",
    "groups > 1 and in_per_group == 1 and out_per_group > 1": "v1,x=2x3x5x6,out=6,k=1,g=3",
    "dtype == 'float16' and bias": "v1,x=2x3x5x6,out=3,k=3,dtype=float16",
    "layout_x in ('channels_last', 'sliced')": "v1,x=2x3x5x6,out=3,k=3,layout-x=sliced",
    "out_per_group > 12": "v1,x=2x3x5x6,out=17,k=1",
    "output_h * output_w > 64": "v1,x=2x3x9x11,out=3,k=1",
    "pad_right > left_over_w and stride_w > 1": "v1,x=2x3x5x7,out=3,k=1,s=1x2,p=0x1",
    "kernel_h == 1 and kernel_w == 1": "v1,x=2x3x5x6,out=3,k=1",
    "bias and layout_bias == 'step'": "v1,x=2x3x5x6,out=3,k=3,layout-bias=step",
    "channels_last_x and groups > 1": "v1,x=2x4x5x6,out=4,k=3,layout-x=channels_last,g=2",
    "output_h < dilation_h or output_w < dilation_w": "v1,x=2x3x7x6,out=3,k=3x1,d=3x1",
    "": "v1,x=2x3x5x6,out=3,k=3",
}


@pytest.mark.parametrize("text", BASES)
def test_a_rule_is_learnt_from_its_answers(text):
    rule, base, asked = Rule(text), read(BASES[text]), []

    def label(case):
        asked.append(case)
        return rule.holds(facts(case))

    found = learn(base, label)
    assert len(asked) <= MOST_CASES + MOST_ATTEMPTS + 160
    rng = np.random.default_rng(7)
    fresh = [*islice(variations(base, rng, 4), 150), *islice(variations(base, rng, 23), 150)]
    score = measured(found.rule, [(case, rule.holds(facts(case))) for case in fresh])
    assert score.precision >= 0.95
    assert score.recall >= 0.95


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("output_h * output_w > 64", "v1,x=2x3x9x11,out=3,k=1"),
        ("in_per_group * kernel_h * kernel_w > 39", "v1,x=2x8x9x11,out=3,k=3"),
        ("out_channels > 21", "v1,x=2x3x5x6,out=60,k=1"),
    ],
)
def test_a_threshold_is_found_to_the_digit(text, token):
    rule = Rule(text)
    assert str(learn(read(token), lambda c: rule.holds(facts(c))).rule) == text


def test_resized_cases_differ_in_what_is_asked_for_only():
    base = read("v1,x=2x6x9x11,out=6,k=3,p=1,g=2")
    for names, free in ((["out_channels"], {"out_channels", "out_per_group", "groups", "in_channels"}),
                        (["output_h", "output_w"], {"output_h", "output_w", "height", "width", "row_bytes"})):  # fmt: skip
        found = list(islice(resized(base, names, np.random.default_rng(3)), 60))
        changed = {n for case in found for n, value in facts(case).items() if value != facts(base)[n]}
        assert set(names) <= changed <= free
        assert all(case.violation is None for case in found)


def test_failures_of_another_cause_do_not_spoil_the_rule():
    mine, other = Rule("stride_h != stride_w"), Rule("groups > 8")
    base = read("v1,x=2x3x5x11,out=3,k=1,s=1x2")
    others = [read(f"v1,x=1x{g}x4x4,out={g},k=1,g={g}") for g in (9, 12, 16, 18)]
    found = learn(base, lambda c: mine.holds(facts(c)) or other.holds(facts(c)), others)
    assert "stride_h != stride_w" in found.rule.text
    assert not any(found.rule.holds(facts(case)) for case in others)


def test_answers_that_say_nothing_are_not_learnt_from():
    found = learn(read("v1,x=2x3x5x6,out=3,k=3"), lambda _: None)
    assert found.cases == 0
    assert not found.exact


def test_words_are_sure_only_where_none_of_enough_attempts_broke_the_rule():
    rule = Rule("groups > 1")
    figures = "precision 1.00, recall 1.00 on 100 cases drawn to break the rule"
    assert str(FailureCondition(rule, 1.0, 1.0, ENOUGH_ATTEMPTS)) == f"fails iff groups > 1 ({figures})"
    assert str(FailureCondition(Rule(""), 1.0, 1.0, ENOUGH_ATTEMPTS)) == f"fails always ({figures})"
    assert str(FailureCondition(rule, 1.0, 1.0, ENOUGH_ATTEMPTS - 1)).startswith("fails mostly where groups > 1 (")
    assert str(FailureCondition(rule, 0.9, 1.0, 400)).startswith("fails mostly where groups > 1 (precision 0.90")
    assert str(FailureCondition(rule, 0.996, 0.999, 400)).endswith("(precision 0.99, recall 0.99 on 400 cases)")
    elsewhere = FailureCondition(rule, 1.0, 1.0, ENOUGH_ATTEMPTS, elsewhere=3)
    assert not elsewhere.exact
    assert str(elsewhere) == f"fails wherever groups > 1, and in 3 known cases elsewhere ({figures})"


def test_what_fails_on_one_axis_or_the_other_is_one_rule():
    rule = Rule("padding_h >= extent_h and output_h == 1 or padding_w >= extent_w and output_w == 1")
    token = "v1,x=1x2x3x7,out=2,k=1,s=7x1,p=2x0"
    found = learn(read(token), lambda c: rule.holds(facts(c)))
    assert found.exact, found
    fresh = [*islice(variations(read(token), np.random.default_rng(7), 4), 300)]
    assert all(found.rule.holds(facts(case)) is rule.holds(facts(case)) for case in fresh)


def test_a_rule_is_not_sure_of_what_is_known_to_fail_elsewhere():
    one, other = Rule("groups > 1 and bias"), Rule("dtype == 'float16' and stride_w > 2")
    failing = [read(f"v1,x=2x3x5x{n},out=3,k=1,s=1x3,bias=false,dtype=float16") for n in (7, 8, 9)]
    found = learn(read("v1,x=2x4x5x6,out=4,k=1,g=2"), lambda c: one.holds(facts(c)) or other.holds(facts(c)), failing)
    assert one.conditions <= found.rule.conditions
    assert not found.exact


OVERLOOKED = {
    # by rules that were claimed falsely: a remainder, one tap, patches, a spelling, and what needs them all
    "in_per_group > 8 and in_per_group % 8 != 0": "v1,x=2x9x5x6,out=3,k=1",
    "padding_same and (dilation_h > 1 and kernel_h > 1 or dilation_w > 1 and kernel_w > 1)": "v1,x=2x3x5x6,out=3,k=3x1,p=same,d=2",
    "kernel_h == kernel_w == 14 and stride_h == stride_w == 14": "v1,x=1x1x28x28,out=1,k=14,s=14",
    "stride_pair": "v1,x=2x3x5x11,out=3,k=1,s=1x2",
    "kernel_h == kernel_w == 3 and stride_h == stride_w == 1 and dilation_h == dilation_w == 1 and output_w % 2 == 1": "v1,x=2x3x7x9,out=3,k=3,p=1",
    # and others of their kind
    "kernel_h % stride_h != 0 and kernel_h > stride_h": "v1,x=2x3x9x6,out=3,k=3x1,s=2x1",
    "row_bytes % 16 != 0": "v1,x=2x3x5x6,out=3,k=1",
    "in_per_group * kernel_h * kernel_w > 39": "v1,x=2x8x9x11,out=3,k=3",
    "padding_valid": "v1,x=2x3x5x6,out=3,k=1,p=valid",
    "output_h < dilation_h": "v1,x=2x3x7x6,out=3,k=3x1,d=3x1",
    "output_w < kernel_w and groups > 1": "v1,x=2x4x5x5,out=4,k=3,s=1x2,g=2",
    "layout_x == 'offset' and width % 4 == 0": "v1,x=2x3x5x8,out=3,k=1,layout-x=offset",
}  # fmt: skip


@pytest.mark.parametrize("text", OVERLOOKED)
def test_a_rule_is_said_to_be_exact_only_if_it_is_the_truth(text):
    rule, base = Rule(text), read(OVERLOOKED[text])
    assert rule.holds(facts(base))
    found = learn(base, lambda case: rule.holds(facts(case)))
    assert found.balance >= 0.9
    rng = np.random.default_rng(11)
    fresh = [*islice(variations(base, rng, 3), 300), *islice(variations(base, rng, 27), 300)]
    fresh += attempts(Conjunction((text,)), [base], Samples(), rng)
    right = all(found.rule.holds(facts(case)) is rule.holds(facts(case)) for case in fresh)
    assert right or not found.exact, str(found)


def test_learning_is_deterministic():
    rule, base = Rule("kernel_w > 2"), read("v1,x=2x3x5x11,out=3,k=3")
    runs = [learn(base, lambda c: rule.holds(facts(c))) for _ in range(2)]
    assert runs[0] == runs[1]


def test_neighbours_are_legal_and_differ_from_the_case():
    for token in BASES.values():
        base = read(token)
        near = single_changes(base)
        assert len(near) > 40
        assert base not in near
        assert all(case.violation is None for case in near)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("groups > 1", "v1,x=2x4x5x11,out=4,k=3,g=2"),
        ("stride_w > 1", "v1,x=2x4x5x11,out=4,k=3,s=1x2"),
        ("", "v1,x=2x4x5x11,out=4,k=3"),
    ],
)
def test_a_rule_is_not_made_to_fit_cases_that_pass_by_accident(text, token):
    rule, base = Rule(text), read(token)

    def label(case):
        lucky = zlib.crc32(case.token.encode()) % 8 == 0 and case != base
        return rule.holds(facts(case)) and not lucky

    assert learn(base, label).rule == rule


def test_cases_that_nobody_can_ask_for_are_not_made(monkeypatch):
    def attempts(*_):
        raise AssertionError("made in vain")

    base, left = read("v1,x=2x3x5x11,out=3,k=3"), iter(range(20))
    monkeypatch.setattr("convcheck.triage.diagnosis.failure_condition.attempts", attempts)
    found = learn(
        base, lambda case: None if next(left, None) is None else case.params.kernel_size[1] > 2, can_ask=lambda: False
    )
    assert found.cases == 0
    assert found.rule.holds(facts(base))


@pytest.mark.parametrize("one_in", [40, 64])
def test_no_rule_is_said_to_be_exact_that_an_answer_contradicts(one_in):
    rule, base = (
        Rule("dilation_w > 1 and padding_w > 0 and not padding_same"),
        read("v1,x=2x3x5x4,out=3,k=1,p=0x1,d=1x2"),
    )
    answers = {}

    def label(case):
        lucky = zlib.crc32(case.token.encode(), 1) % one_in == 0 and case != base
        answers[case] = rule.holds(facts(case)) and not lucky
        return answers[case]

    found = learn(base, label)
    assert not all(answers.values())
    assert not found.exact
    assert sum(found.rule.holds(facts(case)) is fails for case, fails in answers.items()) > 0.95 * len(answers)


def test_a_rule_is_measured_on_as_many_cases_as_a_claim_needs_though_some_have_no_label():
    rule, base = Rule("output_h > 32"), read("v1,x=2x4x33x6,out=4,k=1,g=2")

    def label(case):
        drawn = zlib.crc32(case.token.encode(), 2)
        lucky = drawn % 40 == 1 and case != base
        return None if drawn % 5 == 0 else rule.holds(facts(case)) and not lucky

    assert learn(base, label).cases >= ENOUGH_ATTEMPTS


def test_a_bound_on_padding_is_found_although_a_border_alone_tells_nothing():
    def label(case):
        border = 2 * case.params.padding[0][0] > case.input_shape[-2] and case.params.padding[0][0] < 32
        return None if border else case.params.padding[0][0] > 31

    found = learn(read("v1,x=2x3x1x6,out=3,k=1,p=32x0,bias=false"), label)
    assert found.exact
    assert found.rule == Rule("padding_h > 31")
