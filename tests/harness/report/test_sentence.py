from dataclasses import replace

import pytest

from convcheck.model.diagnosis import Diagnosis, ExplainingPromise, FailureCondition, KnownDefectMatch
from convcheck.model.levels import Level
from convcheck.model.rules import ALWAYS, Rule
from convcheck.model.verdicts import Evidence
from convcheck.report.replaying import replay_command
from convcheck.report.sentence import finding_sentence, sentence_of
from full_record import COMPLETE, FINDINGS, TOKEN, WRONG

INEXACT, STOPPED, HUNG, ACCEPTED, REFUSED, UNWRITTEN, KNOWN, GONE = FINDINGS[1:]
EXACT = FailureCondition(Rule("batch > 1"), 1.0, 1.0, 120)
MATCH = KnownDefectMatch("grad-bias-first-image", "a bias gradient from the first image only", 12, 20)


def about(quantity, level=Level.COMPUTES, reason="it differs", **diagnosis):
    found = replace(COMPLETE, level=level, diagnosis=Diagnosis(**diagnosis), backend="my.py:conv")
    verdict = replace(found.verdict, quantity=quantity, reason=reason, evidence=None)
    return replace(found, verdict=verdict, reproduction=replace(found.reproduction, setup_cases=()))


def test_what_when_why_and_what_to_try_are_one_sentence():
    found = about("grad_bias", failure_condition=EXACT, known_defects=(MATCH,))
    assert finding_sentence(found) == (
        "`grad_bias` is wrong iff batch > 1: behaves like a bias gradient from the first image only. "
        f"Try: convcheck replay {TOKEN} --backend my.py:conv"
    )


@pytest.mark.parametrize(("quantity", "watched"), [("work", True), ("output", False)])
def test_work_of_others_is_repeated_where_it_is_traced(quantity, watched):
    assert ("--untrusted" in replay_command(about(quantity)).split()) is watched


@pytest.mark.parametrize("finding", FINDINGS, ids=range(len(FINDINGS)))
def test_every_finding_is_one_line_that_ends_with_how_to_repeat_it(finding):
    said = finding_sentence(finding)
    assert "\n" not in said
    assert said.endswith(f"{replay_command(finding)}" if finding.reproduction.token else ".")


@pytest.mark.parametrize(
    ("finding", "statement"),
    [
        (INEXACT, "`grad_weight` is wrong mostly where stride_w == 3: the last column is 0."),
        (STOPPED, "a call ends its process in 1 case: no fresh process would start."),
        (HUNG, "a call does not return in 2 cases: no result within 60 s."),
        (ACCEPTED, "illegal arguments are accepted in 2 cases: groups=0 was accepted."),
        (replace(ACCEPTED, failing_cases=0), "illegal arguments are accepted: groups=0 was accepted."),
        (REFUSED, "a legal call is refused in 2 cases: a legal layer was refused."),
        (UNWRITTEN, "`output` is not written in 2 cases: holds what was in memory before the call."),
        (KNOWN, "`output` is less precise than promised, as is known, in 6 cases: issue 8."),
        (GONE, "`output` is right where it is known to fail in 1 case: issue 7."),
        (about("output", failure_condition=replace(EXACT, rule=ALWAYS)), "`output` is wrong always: it differs."),
        (about("memory", failure_condition=EXACT), "memory is misused iff batch > 1: it differs."),
        (about("output", declaration="it seems to lack groups"), "`output` is wrong in 3 cases: it differs; it seems to lack groups."),
    ],
)  # fmt: skip
def test_each_kind_of_finding_has_its_words(finding, statement):
    assert sentence_of(finding).statement() == statement


def test_who_may_only_be_slow_is_told_of_more_time():
    assert sentence_of(HUNG).advice == f"`--limit` with more seconds, if it is only slow; else {replay_command(HUNG)}"


def test_without_a_diagnosis_it_says_what_differs_and_where():
    found = replace(COMPLETE, diagnosis=Diagnosis(), verdict=replace(COMPLETE.verdict, reason="it differs"))
    assert "it differs; at (0, 0, 1, 1): expected 1.5 ± 0.25, got -0.0; 1 of 4 wrong: the last column." in (
        finding_sentence(found)
    )


def test_a_wrong_shape_is_said_once():
    shape = Evidence((), "(1, 1)", "(1, 2)", 1, 1, "the shape")
    verdict = replace(COMPLETE.verdict, reason="output has shape (1, 2); expected (1, 1)", evidence=shape)
    said = finding_sentence(replace(COMPLETE, diagnosis=Diagnosis(), verdict=verdict))
    assert said.count("(1, 2)") == 1


def test_a_promise_that_explains_all_failures_is_the_first_thing_to_try():
    promise = ExplainingPromise("subnormals flushed", "profiles={\n    'a': b,\n}", 12, 40)
    found = about("output", Level.PRECISION, failure_condition=EXACT, promise=promise)
    assert finding_sentence(found).startswith(
        "`output` is less precise than promised iff batch > 1: every failure is explained by subnormals flushed. "
        "Try: declare profiles={ 'a': b, }, if that is what it promises; else convcheck replay"
    )


def test_what_never_failed_again_says_so():
    found = replace(COMPLETE, reproduction=replace(COMPLETE.reproduction, reproduced=0))
    assert sentence_of(found).said.startswith("is wrong once and never again: ")


def test_the_words_of_a_candidate_are_text_in_markdown():
    found = replace(STOPPED, verdict=replace(STOPPED.verdict, reason="<b>*bold*</b>"))
    assert "&lt;b>\\*bold\\*&lt;/b>" in sentence_of(found).statement("markdown")
    assert WRONG not in sentence_of(found).statement()
