from dataclasses import replace

import pytest

from convcheck import Capabilities, Status
from convcheck.defects import defect
from convcheck.model.diagnosis import Diagnosis, KnownDefectMatch
from convcheck.model.token import read
from convcheck.triage.deduplication import deduplicated
from convcheck.triage.diagnosis.examine import Examination
from convcheck_backends import NumpyBackend
from stand_ins import CRASHED, GRAD_INPUT, GRAD_WEIGHT, OUTPUT, REFUSED, TOKENS, cause, probe_of, verdict

ILLEGAL = "v1,x=1x4x5x5,out=4,k=1,s=0"


class Forward(NumpyBackend):
    capabilities = Capabilities(gradients=True)


def distinct(*causes, make=Forward):
    return deduplicated(probe_of(make), causes)


def named(*names, rule=None):
    """An examination that found some known defects."""
    matches = tuple(KnownDefectMatch(name, "", 3, 3) for name in names)
    condition = cause(OUTPUT, rule).diagnosis.failure_condition
    return Examination(Diagnosis(known_defects=matches, failure_condition=condition), defect(names[0]))


@pytest.mark.parametrize(
    ("rules", "count"),
    [
        (("groups > 1", "groups > 1 and batch == 0"), 1),
        (("groups > 1 and batch > 1", "stride_w > 1 and batch > 1"), 2),
        (("", "groups > 8"), 2),
        (("groups > 1", "stride_w > 1"), 1),  # each covers all failures of the other
        (("groups > 1", None), 2),
    ],
)
def test_rules_tell_whether_two_causes_are_one(rules, count):
    assert len(distinct(cause(OUTPUT, rules[0]), cause(REFUSED, rules[1]))) == count


def test_few_failures_that_two_rules_cover_may_be_chance():
    causes = [
        cause(signature, rule, TOKENS[:2]) for signature, rule in ((OUTPUT, "groups > 1"), (REFUSED, "stride_w > 1"))
    ]
    assert len(distinct(*causes)) == 2


def test_a_crash_is_not_hidden_in_a_wrong_result():
    crash = replace(cause(CRASHED, "groups > 1 and batch == 0"), explains=())
    assert len(distinct(cause(OUTPUT, "groups > 1"), crash)) == 2


def test_a_refusal_that_only_an_oracle_meets_is_not_hidden_either():
    asked = replace(REFUSED, asked_by="soak")
    refused = replace(cause(asked, "groups > 1 and batch == 0"), explains=())
    assert len(distinct(cause(OUTPUT, "groups > 1"), refused)) == 2


def test_of_one_signature_the_later_rule_has_to_cover_the_failures_of_the_earlier():
    wide, narrow = cause(OUTPUT, "groups > 1"), cause(OUTPUT, "groups > 1 and output_w > 3")
    assert len(distinct(narrow, wide)) == 1
    assert len(distinct(wide, narrow)) == 2


def test_without_rules_causes_are_one_that_have_signature_and_smallest_case_in_common():
    assert len(distinct(cause(OUTPUT), cause(OUTPUT))) == 1
    assert len(distinct(cause(OUTPUT), cause(GRAD_INPUT))) == 2
    assert len(distinct(cause(OUTPUT), cause(OUTPUT, tokens=TOKENS[::-1]))) == 2


def test_legal_and_illegal_cases_have_no_cause_in_common():
    assert len(distinct(cause(REFUSED, tokens=TOKENS), cause(REFUSED, tokens=[ILLEGAL], case=read(TOKENS[0])))) == 2


def test_what_is_of_state_is_no_cause_of_what_is_not():
    assert len(distinct(cause(OUTPUT, "groups > 1"), cause(GRAD_INPUT, "groups > 1", state_dependent=True))) == 2


def test_names_decide_where_both_causes_have_some():
    exchanged, both = named("stride-exchanged", rule="groups > 1"), named("kernel-flipped", "stride-exchanged")
    other = named("kernel-flipped", rule="groups > 1")
    assert len(distinct(cause(OUTPUT, examination=exchanged), cause(GRAD_INPUT, examination=both))) == 1
    assert len(distinct(cause(OUTPUT, examination=exchanged), cause(GRAD_INPUT, examination=other))) == 2


def test_a_name_is_given_to_what_the_defect_reproduces_only():
    known = cause(OUTPUT, examination=named("stride-exchanged"))
    nameless = cause(GRAD_WEIGHT, "batch > 9")
    assert len(distinct(nameless, known, make=defect("stride-exchanged").backend)) == 1
    assert len(distinct(nameless, known, make=defect("kernel-flipped").backend)) == 2


@pytest.mark.parametrize(
    ("signature", "smallest", "count"),
    [
        (OUTPUT, {"state_dependent": True}, 1),
        (GRAD_INPUT, {"state_dependent": True}, 2),
        (CRASHED, {"state_dependent": True}, 2),
        (OUTPUT, {"reproduced": 0}, 2),
        (OUTPUT, {"setup_cases": (read(TOKENS[1]),)}, 1),
    ],
    ids=["same operation", "another operation", "a crash", "never again", "after a case"],
)
def test_what_state_does_to_one_result_of_an_operation_it_may_do_to_another(signature, smallest, count):
    first = cause(replace(OUTPUT, kind="special"), state_dependent=True)
    assert len(distinct(first, cause(signature, **smallest))) == count


def test_of_causes_that_are_one_the_steady_one_with_a_name_stands_for_all():
    known = cause(GRAD_WEIGHT, examination=named("stride-exchanged"))
    nameless = cause(OUTPUT, "stride_w > 1")
    (joined,) = distinct(nameless, known, make=defect("stride-exchanged").backend)
    assert joined.signature == GRAD_WEIGHT
    assert joined.diagnosis.known_defects
    assert joined.explains == (*known.explains, *nameless.explains)
    assert joined.also == (OUTPUT,)


def test_distinct_causes_keep_their_order():
    causes = [
        cause(OUTPUT, "groups > 1", state_dependent=True),
        cause(GRAD_INPUT, "stride_w > 1 and kernel_h > 4", TOKENS[:1]),
        cause(CRASHED, "batch > 4", TOKENS[:1]),
    ]
    assert distinct(*causes) == causes
    assert distinct(*causes[::-1]) == causes[::-1]


def test_a_memory_error_is_never_put_with_anything_else():
    crashed = verdict("parity", "call", Status.CRASHED, ("C2D-PAD-1", "C2D-PURE-3"))
    outside = replace(crashed, clauses=("C2D-PURE-5", *crashed.clauses))
    known, memory = (
        replace(found, smallest=replace(found.smallest, first=replace(found.smallest.first, verdict=one)))
        for found, one in ((cause(CRASHED, "groups > 1"), crashed), (cause(CRASHED, "groups > 1"), outside))
    )
    assert len(deduplicated(probe_of(NumpyBackend), [known, known])) == 1
    assert len(deduplicated(probe_of(NumpyBackend), [known, memory])) == 2
