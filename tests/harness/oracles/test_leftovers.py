"""What a call leaves behind fails clause C2D-PURE-10, legal or not; a call that leaves nothing passes."""

import os

import pytest

from convcheck import Level, Status
from convcheck.execution import InProcessCandidate
from convcheck.judging.judge import judge_case
from convcheck.model.token import read
from convcheck.oracles.leftovers import CLAUSE
from convcheck_backends import NumpyBackend

LEGAL, ILLEGAL = read("v1,x=1x1x3x3,out=1,k=2"), read("v1,x=1x1x3x3,out=1,k=2,s=0")


class Leaving(NumpyBackend):
    def conv2d(self, x, weight, bias, params):
        os.chdir("/")
        return super().conv2d(x, weight, bias, params)


def verdicts(backend, case):
    found, _, _ = judge_case(InProcessCandidate(backend), case)
    return {(v.status, v.level, v.reason) for v in found if CLAUSE in v.clauses}


@pytest.mark.parametrize("case", [LEGAL, ILLEGAL])
def test_a_call_that_leaves_something_is_a_finding_about_state(case):
    left = (Status.FAIL, Level.STATE, "the call left behind or changed the working directory")
    assert left in verdicts(Leaving, case)


def test_a_call_that_leaves_nothing_passes():
    assert {status for status, _, _ in verdicts(NumpyBackend, LEGAL)} == {Status.PASS}
    assert verdicts(NumpyBackend, ILLEGAL) == set()
