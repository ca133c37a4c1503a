"""The share of the cases under a sanitizer: which they are, when it ends, and whom a late report belongs to."""

import pytest

from convcheck import Capabilities
from convcheck.execution import WorkerStartError
from convcheck.judging.blocks import generate
from convcheck.judging.sanitizing import ENOUGH, chosen, judge_sanitized
from convcheck.model.calls import Sanitized
from convcheck.model.origins import Origin
from convcheck.model.sanitizers import Sanitizer
from convcheck.model.token import read
from convcheck.model.verdicts import Status

CAPABILITIES = Capabilities(dtypes=("float32",), gradients=False)
CASES = [read(f"v1,x=1x1x{height}x2,out=1,k=1") for height in range(1, 21)]


class Watched:
    """A candidate under racecheck that is reported on for images of some heights, at once or as its process ends."""

    capabilities = CAPABILITIES

    def __init__(self, *heights, late=False, starts=99):
        self.heights, self.late, self.starts, self.pending, self.closed = heights, late, starts, (), False

    def call_all(self, calls):
        found = [("a race",) if call.tensors["x"].values.shape[2] in self.heights else () for call in calls]
        if self.late:
            self.pending += sum(found, ())
            found = [()] * len(calls)
        if any(found):
            self.started()
        return [Sanitized(Sanitizer.RACECHECK, reports) for reports in found]

    def finish(self):
        found, self.pending = self.pending, ()
        self.started()
        return found

    def started(self):
        self.starts -= 1
        if self.starts < 0:
            raise WorkerStartError("no more")

    def close(self):
        self.closed = True


def judged(candidate, cases=CASES, clause=None):
    return judge_sanitized(lambda: candidate, Sanitizer.RACECHECK, cases, 7, clause)


def test_cases_without_a_report_pass_and_are_counted_apart():
    candidate = Watched()
    tally = judged(candidate)
    assert (tally.cases, tally.origins[Origin.SANITIZED], tally.failures) == (0, 20, [])
    assert tally.counts == {("C2D-PURE-4", Status.PASS, ""): 20}
    assert candidate.closed


def test_a_case_that_is_reported_on_fails():
    tally = judged(Watched(3, 5))
    assert [(f.position, f.case, f.origin) for f in tally.failures] == [
        (2, CASES[2], Origin.SANITIZED),
        (4, CASES[4], Origin.SANITIZED),
    ]
    assert tally.counts == {("C2D-PURE-4", Status.PASS, ""): 18}


def test_it_ends_when_enough_is_known():
    tally = judged(Watched(*range(1, 21)))
    assert len(tally.failures) == tally.origins[Origin.SANITIZED] == ENOUGH


@pytest.mark.parametrize("height", [1, 7, 20])
def test_a_late_report_is_narrowed_to_its_case_and_nothing_is_said_of_the_others(height):
    tally = judged(Watched(height, late=True))
    assert [f.position for f in tally.failures] == [height - 1]
    ((_, status, reason),) = tally.counts
    assert (status, "as the process ended" in reason) == (Status.NOT_APPLICABLE, True)
    assert tally.origins[Origin.SANITIZED] == 1


def test_a_process_that_starts_no_more_is_no_finding():
    tally = judged(Watched(3, starts=0))
    assert not tally.failures
    assert ("C2D-PURE-4", Status.PASS, "") in tally.counts
    assert any("no fresh process would start" in reason for _, _, reason in tally.counts)


def test_another_clause_is_not_judged():
    assert not judged(Watched(3), clause="C2D-BIAS-1").origins


@pytest.mark.parametrize("size", [1, 7, 31])
def test_the_share_is_made_of_legal_calls_all_along_the_cases(size):
    cases = generate(CAPABILITIES, run_seed=0, block=1)
    share = chosen(cases, CAPABILITIES, size)
    assert len(share) == size
    assert all(case.is_legal_call for case in share)
    assert size == 1 or cases.index(share[-1]) > len(cases) / 2
