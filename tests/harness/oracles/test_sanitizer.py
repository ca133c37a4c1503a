from dataclasses import replace

import pytest

from convcheck import Capabilities, Status
from convcheck.model.calls import Sanitized
from convcheck.model.levels import Level
from convcheck.model.sanitizers import Sanitizer
from convcheck.model.token import read
from convcheck.oracles import ORACLES, Trial, judge, sanitizer
from convcheck.oracles.levels import level_of_cause

CASE = read("v1,x=1x1x2x2,out=1,k=1")


def trial(outcome):
    blank = Trial(CASE, Capabilities(dtypes=("float32",)))
    return blank.with_outcomes(dict.fromkeys(blank.calls, outcome))


@pytest.mark.parametrize("which", list(Sanitizer))
def test_a_report_fails_silence_passes_and_no_other_oracle_says_anything_wrong(which):
    clean = Sanitized(which)
    assert {v.status for v in sanitizer.judge(trial(clean))} == {Status.PASS}
    assert {v.status for v in sanitizer.judge(trial(replace(clean, unseen="it hung")))} == {Status.NOT_APPLICABLE}
    of_reports = judge(trial(replace(clean, reports=("one", "two"))), ORACLES)
    failing = [v for v in of_reports if v.status is Status.FAIL]
    assert failing
    assert {(v.oracle, v.reason) for v in failing} == {("sanitizer", f"{which.label} reports: one (and 1 more)")}
    assert not [v for v in of_reports if v.status is Status.PASS]


def test_a_race_that_is_reported_now_and_then_is_a_matter_of_computing():
    verdict = sanitizer.reported(Sanitizer.RACECHECK, ("a race",))
    assert level_of_cause(CASE, verdict, after_others=True, now_and_then=True) is Level.COMPUTES
