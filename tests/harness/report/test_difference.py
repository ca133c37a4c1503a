from dataclasses import replace

import pytest

from convcheck.model.diagnosis import Diagnosis, FailureCondition
from convcheck.model.levels import Level
from convcheck.model.record import BackendRecord, Finding
from convcheck.model.reproduction import Reproduction
from convcheck.model.rules import Rule
from convcheck.model.verdicts import Status
from convcheck.report.difference import Change, difference, difference_text
from full_record import RECORD
from stand_ins import verdict


def finding(rule="groups > 1", clause="C2D-GROUPS-1", backend="mine", status=Status.FAIL, **others):
    diagnosis = Diagnosis(failure_condition=FailureCondition(Rule(rule), 1.0, 1.0, 100)) if rule else Diagnosis()
    found = verdict(status=status, clauses=(clause,), reason="off by one")
    return Finding(backend=backend, clause=clause, level=Level.COMPUTES, verdict=found, diagnosis=diagnosis, **others)


def record(*findings, margins=None, backends=("mine",), **others):
    made = tuple(BackendRecord(name=name, spec=name, cases=9, margins=margins or {}) for name in backends)
    return replace(RECORD, backends=made, findings=findings, **others)


def changes(before, after):
    return [(each.change, each.finding.clause) for each in difference(before, after).changed]


def test_a_run_does_not_differ_from_itself():
    found = difference(record(finding()), record(finding()))
    assert (found.changed, found.drifts, found.backends, found.settings) == ((), (), (), ())
    assert not found.worse
    assert difference_text(found, "text") == "0 new findings, 0 changed findings, 0 fixed findings."


def test_another_smallest_case_or_number_of_cases_is_no_change():
    other = finding(reproduction=Reproduction(token="v1,x=1x2x3x3,out=2,k=1,g=2"), failing_cases=77)
    assert changes(record(finding()), record(other)) == []


def test_what_is_new_changed_and_fixed_is_told_apart():
    before = record(finding(), finding("bias", "C2D-BIAS-1"))
    after = record(finding("groups == 2"), finding("stride_h > 1", "C2D-STRIDE-1"))
    found = difference(before, after)
    assert [(each.change, each.finding.clause) for each in found.changed] == [
        (Change.NEW, "C2D-STRIDE-1"),
        (Change.CHANGED, "C2D-GROUPS-1"),
        (Change.FIXED, "C2D-BIAS-1"),
    ]
    assert found.worse
    text = difference_text(found, "text")
    assert "groups == 2" in text
    assert "groups > 1" in text
    assert text.endswith("1 new finding, 1 changed finding, 1 fixed finding.")


def test_what_is_fixed_is_not_worse():
    assert not difference(record(finding()), record()).worse


def test_a_second_cause_of_the_same_clause_is_new():
    assert changes(record(finding()), record(finding("bias"), finding())) == [(Change.NEW, "C2D-GROUPS-1")]


def test_a_failure_that_crashes_now_has_changed():
    assert changes(record(finding("")), record(finding("", status=Status.CRASHED))) == [
        (Change.CHANGED, "C2D-GROUPS-1")
    ]


def test_what_an_unfinished_run_lacks_is_not_fixed():
    found = difference(record(finding()), record(interrupted=True))
    assert [each.change for each in found.changed] == [Change.NOT_SEEN]
    assert "the later run is UNFINISHED: what it lacks may be what it did not come to" in found.settings


def test_backends_of_one_run_alone_are_named_and_not_compared():
    found = difference(record(finding(backend="old"), backends=("mine", "old")), record(backends=("mine", "new")))
    assert found.changed == ()
    assert found.backends == ("old was judged before, and is not now", "new was not judged before")


@pytest.mark.parametrize(("after", "told"), [(0.5, False), (0.21, False), (0.83, True), (0.1, True), (0.0, True)])
def test_margins_that_drift_are_listed(after, told):
    found = difference(record(margins={"float32 output": 0.4}), record(margins={"float32 output": after}))
    assert [(d.backend, d.key, d.before, d.after) for d in found.drifts] == (
        [("mine", "float32 output", 0.4, after)] if told else []
    )
    assert not found.worse


def test_what_the_runs_were_asked_for_is_said_where_it_differs():
    found = difference(record(seed=1), record(seed=2, examples=5))
    assert found.settings == (f"cases: {RECORD.examples} before, 5 now", "seed: 1 before, 2 now")
