import pytest

from convcheck.model.rules import Rule, facts
from convcheck.model.token import read
from convcheck.triage.diagnosis.mutations import single_changes
from convcheck.triage.diagnosis.rule_search import search_rules
from convcheck.triage.diagnosis.samples import Samples

BASE = read("v1,x=2x6x5x11,out=6,k=2,s=1x2,g=2")


def searched(text, more=()):
    rule, samples = Rule(text), Samples()
    samples.add([(BASE, True), *((case, rule.holds(facts(case))) for case in single_changes(BASE)), *more])
    return search_rules(facts(BASE), samples), samples


@pytest.mark.parametrize("text", ["groups > 1", "stride_w > 1", "groups > 1 and stride_w > 1", "stride_h != stride_w"])
def test_the_best_rule_holds_for_the_base_and_for_no_case_that_passes(text):
    (best, *_), samples = searched(text)
    assert best.holds(BASE)
    mask = samples.mask(best.rule.text)
    assert mask & samples.passing == 0
    assert mask & samples.failing == samples.failing


def test_every_rule_of_the_committee_holds_for_the_base():
    rules, _ = searched("groups > 1 and stride_w > 1")
    assert len({rule.parts for rule in rules}) == len(rules) > 1
    assert all(rule.holds(BASE) for rule in rules)


def test_where_everything_fails_the_rule_is_empty():
    assert searched("")[0][0].parts == ()


def test_the_shortest_rule_is_the_best():
    assert searched("groups > 1")[0][0].parts == ("groups > 1",)


def test_a_failure_of_another_cause_lets_no_passing_case_in():
    other = read("v1,x=1x1x9x9,out=1,k=5,dtype=float64")
    (best, *_), samples = searched("groups > 1", [(other, True)])
    assert samples.mask(best.rule.text) & samples.passing == 0
    assert not best.holds(other)
