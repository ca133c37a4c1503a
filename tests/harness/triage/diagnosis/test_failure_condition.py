import zlib
from itertools import islice

import numpy as np
import pytest

from convcheck.model.diagnosis import FailureCondition
from convcheck.model.rules import Rule, facts
from convcheck.model.token import read
from convcheck.triage.diagnosis.failure_condition import MOST_CASES, learn, measured
from convcheck.triage.diagnosis.mutations import resized, single_changes, variations

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
    "": "v1,x=2x3x5x6,out=3,k=3",
}


@pytest.mark.parametrize("text", BASES)
def test_a_rule_is_learnt_from_its_answers(text):
    rule, base, asked = Rule(text), read(BASES[text]), []

    def label(case):
        asked.append(case)
        return rule.holds(facts(case))

    found = learn(base, label)
    assert len(asked) <= MOST_CASES + 80
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
                        (["output_h", "output_w"], {"output_h", "output_w", "height", "width"})):  # fmt: skip
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


def test_words_are_sure_only_where_no_fresh_case_contradicts():
    rule = Rule("groups > 1")
    assert str(FailureCondition(rule, 1.0, 1.0, 40)) == "fails iff groups > 1"
    assert str(FailureCondition(rule, 0.9, 1.0, 40)).startswith("fails mostly where groups > 1 (precision 0.90")
    assert str(FailureCondition(rule, 1.0, 1.0, 0)).startswith("fails mostly")


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
