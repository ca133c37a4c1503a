from convcheck import Status
from convcheck.model.verdicts import FAILURES, JUDGED


def test_a_pass_is_judged_and_no_failure_and_what_fails_by_another_clause_is_neither():
    assert {Status.PASS, Status.ELSEWHERE} == JUDGED - FAILURES


def test_what_tells_nothing_or_is_expected_makes_no_finding():
    assert set(Status) - JUDGED == {
        Status.VACUOUS,
        Status.NOT_APPLICABLE,
        Status.KNOWN_FAILURE,
        Status.UNEXPECTED_PASS,
        Status.UNAVAILABLE,
    }


def test_every_status_reads_differently():
    assert len({str(status) for status in Status}) == len(Status)
