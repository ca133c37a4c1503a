"""Every failure counts under its own clauses, whoever it belongs to and whether or not anybody looked."""

from collections import Counter
from dataclasses import replace

import pytest

from convcheck import Status
from convcheck.campaign.counting import counts
from convcheck.execution import InProcessCandidate
from convcheck.judging.judge import judge_block
from convcheck.judging.tally import Tally
from convcheck.model.calls import Died
from convcheck.model.record import NOT_LOOKED_AT
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.report.matrix import clause_verdict
from convcheck.triage.findings import triage
from convcheck_backends import NumpyBackend
from full_record import RECORD
from stand_ins import OUTPUT, TOKENS, cause, failure, verdict

STRIDE, DILATION = verdict(clauses=("C2D-STRIDE-2", "C2D-ARITH-1")), verdict(clauses=("C2D-DIL-2", "C2D-STRIDE-2"))


def counted(*failures, found=(), passed=()):
    """What counts come to, by clause: the status, the reason and the cases of each."""
    tally = Tally(failures=list(failures), counts=Counter(dict.fromkeys(((c, Status.PASS, "") for c in passed), 7)))
    findings = [one.finding("mine") for one in found]
    rows = counts("mine", tally, findings, [one.explains for one in found])
    return {(row.clause, row.status, row.reason): row.cases for row in rows}


def of(*failures):
    found = cause(OUTPUT, verdict=failures[0].verdict)
    return replace(found, explains=failures)


def test_a_failure_counts_under_the_clause_of_its_finding_and_explains_its_others():
    first, second = failure(TOKENS[0], STRIDE), failure(TOKENS[1], DILATION, position=1)
    assert counted(first, second, found=[of(first, second)], passed=["C2D-DIL-2"]) == {
        ("C2D-STRIDE-2", Status.FAIL, ""): 2,
        ("C2D-ARITH-1", Status.ELSEWHERE, "counted under C2D-STRIDE-2"): 1,
        ("C2D-DIL-2", Status.ELSEWHERE, "counted under C2D-STRIDE-2"): 1,
        ("C2D-DIL-2", Status.PASS, ""): 7,
    }


def test_what_was_not_looked_at_fails_its_own_clause_and_is_said_under_the_others():
    first, second = failure(TOKENS[0], STRIDE), failure(TOKENS[1], DILATION, position=1)
    found = counted(first, second, found=[of(first)])
    assert found["C2D-DIL-2", Status.FAIL, NOT_LOOKED_AT] == 1
    assert found["C2D-STRIDE-2", Status.ELSEWHERE, "counted under C2D-DIL-2"] == 1


def test_a_case_counts_once_for_a_clause_by_the_worst_that_is_said():
    output, gradient = failure(TOKENS[0], STRIDE), failure(TOKENS[0], replace(STRIDE, quantity="grad_weight"))
    other = cause(OUTPUT, verdict=DILATION)
    assert counted(output, gradient, found=[replace(other, explains=(output,)), of(gradient)])[
        "C2D-STRIDE-2", Status.FAIL, ""
    ] == 1  # fmt: skip
    assert ("C2D-STRIDE-2", Status.ELSEWHERE) not in {
        key[:2] for key in counted(output, gradient, found=[replace(other, explains=(output,)), of(gradient)])
    }


class DiesOfDivision(InProcessCandidate):
    """A right candidate whose process ends where groups = 0, and for an empty batch of a dilated layer."""

    def call_all(self, calls):
        return [Died("killed by signal 8 (SIGFPE)") if self._divides(c) else self.call(c) for c in calls]

    def _divides(self, call):
        empty = call.tensors["x"].values.size == 0
        return call.arguments.groups == 0 or (empty and call.arguments.dilation not in (1, (1, 1)))


@pytest.mark.parametrize("calls", [0, 60, 4000])
def test_no_clause_with_a_failure_says_pass(calls):
    candidate = DiesOfDivision(NumpyBackend)
    illegal = [read(f"v1,x=1x2x5x{width},out=2,k=1,g=0") for width in range(3, 9)]
    empty = [read(f"v1,x=0x2x5x{width},out=2,k=2,d={d}") for width in range(3, 9) for d in ("1x2", "2", "1")]
    tally = judge_block(candidate, [*empty, *illegal, read(TOKENS[0])], 0)
    found = triage(candidate, tally.failures, lambda _: (), most_calls=calls)
    rows = counts("mine", tally, found.findings, found.accounted)
    record = replace(RECORD, counts=rows)
    assert clause_verdict(record, "mine", "C2D-ERROR-3") == (Status.CRASHED, 6, 6)
    assert clause_verdict(record, "mine", "C2D-SHAPE-3") == (Status.CRASHED, 18, 12)
    failing = {c.clause for c in rows if c.status in FAILURES | {Status.ELSEWHERE}}
    assert {"C2D-DIL-1", "C2D-DIL-2", "C2D-PURE-3"} < failing
    assert not any(clause_verdict(record, "mine", clause)[0] is Status.PASS for clause in failing)
    assert {f.clause for f in found.findings} == {"C2D-ERROR-3", "C2D-SHAPE-3"}
    assert any(c.reason == NOT_LOOKED_AT for c in rows) is bool(found.not_looked_at)
