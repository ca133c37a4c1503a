import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcheck.model.rules import Rule, facts
from convcheck.model.token import read
from convcheck.triage.diagnosis.samples import Conjunction, Samples

CASES = [read(f"v1,x=1x12x4x{width},out=12,k=1,g={groups}") for groups in (1, 2, 3) for width in (3, 4, 5)]
GROUPED, WIDE = "groups > 1", "output_w > 3"


def labelled(rule):
    return [(case, Rule(rule).holds(facts(case))) for case in CASES]


@given(st.lists(st.booleans(), min_size=len(CASES), max_size=len(CASES)), st.sampled_from([GROUPED, WIDE, ""]))
def test_sets_are_bits_by_number(fails, text):
    samples = Samples()
    samples.add(zip(CASES, fails, strict=True))
    at = range(len(CASES))
    assert samples.failing == sum(1 << n for n in at if fails[n])
    assert samples.passing == sum(1 << n for n in at if not fails[n])
    assert samples.mask(text) == sum(1 << n for n in at if Rule(text).holds(facts(CASES[n])))


def test_a_set_grows_with_what_is_learnt():
    samples = Samples()
    samples.add(labelled(GROUPED)[:4])
    assert samples.mask(GROUPED) == 0b1000
    samples.add(labelled(GROUPED))
    assert samples.mask(GROUPED) == 0b111111000
    assert len(samples.known) == len(CASES)


def test_a_case_is_asked_once_and_no_more_than_allowed():
    samples, asked = Samples(), []

    def label(case):
        asked.append(case)
        return None if case == CASES[1] else True

    samples.add([(CASES[0], False)])
    assert samples.ask(CASES, label, most=3) == [(CASES[2], True), (CASES[3], True)]
    assert asked == CASES[1:4]
    assert samples.asked == 3
    assert samples.ask(CASES, label, most=3) == []
    assert CASES[0] in samples
    assert CASES[2] not in samples  # asked, and not learnt from


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ((), ""),
        (("groups > 1 or bias",), "groups > 1 or bias"),
        (("bias", "groups > 1 or bias"), "bias and (groups > 1 or bias)"),
    ],
)
def test_a_conjunction_reads_as_the_rule_that_it_is(parts, text):
    assert Conjunction(parts).rule.text == text


def test_without_a_part_the_rest_holds():
    both = Conjunction((GROUPED, WIDE))
    assert both.without(WIDE) == Conjunction((GROUPED,))
    assert [both.holds(case) for case in CASES] == [fails for _, fails in labelled(f"{GROUPED} and {WIDE}")]


def test_a_part_earns_its_place_by_what_it_alone_rules_out():
    samples, both = Samples(), Conjunction((GROUPED, WIDE))
    samples.add(labelled(GROUPED))
    assert samples.mostly_pass(both, GROUPED)
    assert not samples.mostly_pass(both, WIDE)


def test_failing_cases_are_kept_in_order():
    samples = Samples()
    first, second, third = (read(f"v1,x=1x1x{n}x3,out=1,k=1") for n in (1, 2, 3))
    samples.add([(second, True), (first, False), (third, True), (second, True)])
    assert samples.failing_cases == [second, third]
