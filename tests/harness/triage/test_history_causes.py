import pytest

from convcheck import Status
from convcheck.defects import defect
from convcheck.execution import InProcessCandidate
from convcheck.judging.histories import judge_histories
from convcheck.judging.judge import judge_block
from convcheck.judging.playing import play
from convcheck.judging.tally import Failure
from convcheck.model.history import read_history
from convcheck.model.levels import Level
from convcheck.model.token import read
from convcheck.report.replaying import replay_command
from convcheck.report.script import script
from convcheck.triage.causes import ATTEMPTS
from convcheck.triage.findings import findings_of
from convcheck.triage.history_causes import with_histories
from convcheck.triage.probe import Probe
from convcheck_backends import NumpyBackend
from full_record import RECORD
from racing import SharedWorkspace
from stand_ins import IMPRECISE, cause, verdict

A = "v1,x=1x2x3x3,out=2,k=2"
LINE = f"{A} {A}@weight=1"
HISTORY = read_history(LINE)


def failing(history=LINE, quantity="output", status=Status.FAIL):
    steps = read_history(history)
    return Failure(0, 0, steps[-1].case, verdict("state", quantity, status, ("C2D-PURE-4",)), history=steps)


def kept():
    return Probe(InProcessCandidate(defect("weight-kept-by-shape").backend))


def test_a_history_that_no_cause_shows_is_a_finding_of_its_own():
    (found,) = findings_of(InProcessCandidate(defect("weight-kept-by-shape").backend), [failing()], lambda _: ())
    assert found.clause == "C2D-PURE-4"
    assert found.reproduction.history == LINE
    assert found.reproduction.token == HISTORY[-1].case.token
    assert (found.reproduction.reproduced, found.reproduction.attempts) == (ATTEMPTS, ATTEMPTS)
    assert not found.reproduction.standalone
    assert found.failing_cases == 1
    assert replay_command(found) == f"convcheck replay --history '{LINE}' --backend weight-kept-by-shape"


def test_one_that_does_not_fail_again_says_so():
    (found,) = findings_of(InProcessCandidate(NumpyBackend), [failing()], lambda _: ())
    assert found.reproduction.reproduced == 0
    assert found.reproduction.history == LINE


def test_histories_of_one_operation_are_one_finding_the_shortest():
    longer, backward = f"{A} {A}@bias=2 {A}@weight=1", f"{A}@backward {A}@backward,weight=1"
    given = [failing(longer), failing(), failing(backward, "grad_weight"), failing(backward, "grad_input")]
    found, not_looked_at = with_histories(kept(), [], given)
    assert [c.smallest.history for c in found] == [HISTORY, read_history(backward)]
    assert [len(c.explains) for c in found] == [1, 1]
    assert not_looked_at == [given[3], given[0]]


def test_a_call_that_fails_is_apart_from_a_wrong_result():
    given = [failing(), failing(quantity="call", status=Status.CRASHED)]
    assert len(with_histories(kept(), [], given)[0]) == 2


def of_state(**others):
    """A cause as the plain calls of a case show it, whose integers leave something behind for its reals."""
    return cause(IMPRECISE, tokens=[A], **{"state_dependent": True, **others})


def test_a_history_goes_to_the_cause_of_state_that_its_last_layer_shows():
    known = of_state()
    (found,), _ = with_histories(kept(), [known], [failing()])
    assert found.smallest == known.smallest
    assert found.explains == (*known.explains, failing())


@pytest.mark.parametrize(
    "known",
    [
        of_state(state_dependent=False),
        of_state(reproduced=0),
        cause(tokens=[A], setup_cases=(read("v1,x=1x1x1x1,out=1,k=1"),)),
    ],
    ids=["of no state", "never repeated", "setup of another layer"],
)
def test_a_cause_that_does_not_show_its_last_layer_leaves_it(known):
    found, _ = with_histories(kept(), [known], [failing()])
    assert [c.explains for c in found] == [known.explains, (failing(),)]


def test_a_cause_of_state_elsewhere_leaves_what_its_layer_does_not_show():
    class Wider(type(defect("weight-kept-by-shape").backend())):
        """Keeps weights of wide images only."""

        def conv2d(self, x, weight, bias, params):
            if x.shape[-1] > 8:
                return super().conv2d(x, weight, bias, params)
            return NumpyBackend().conv2d(x, weight, bias, params)

    known = of_state()
    found, _ = with_histories(Probe(InProcessCandidate(Wider)), [known], [failing()])
    assert len(found) == 2


def test_setup_cases_that_spoil_its_last_layer_as_well_show_it():
    setup = read(f"{A},seed=5")
    known = cause(tokens=[A], setup_cases=(setup,))
    assert len(with_histories(kept(), [known], [failing()])[0]) == 1


@pytest.mark.parametrize("name", ["weight-kept-by-shape", "grad-weight-not-cleared"])
def test_a_campaign_with_histories_has_no_finding_more(name):
    candidate = InProcessCandidate(defect(name).backend)
    cases = [read(f"v1,x=1x2x4x{width},out=2,k=2,seed={width}") for width in (3, 4, 5, 6)] * 2
    plain = judge_block(candidate, cases, 0).failures
    candidate.restart()
    of_histories = judge_histories(candidate, 0, run_seed=0, number=0, size=10).failures
    assert plain
    assert of_histories
    without = findings_of(candidate, plain, lambda _: cases)
    found = findings_of(candidate, [*plain, *of_histories], lambda _: cases)
    assert [f.reproduction.token for f in found] == [f.reproduction.token for f in without]
    assert sum(f.failing_cases for f in found) == len(plain) + len(of_histories)


def test_a_finding_of_a_history_repeats_from_its_line():
    candidate = InProcessCandidate(defect("plan-kept-by-shape").backend)
    failures = judge_histories(candidate, 0, run_seed=0, number=0, size=50).failures
    (found,) = findings_of(candidate, failures, lambda _: ())
    again = play(InProcessCandidate(defect("plan-kept-by-shape").backend), read_history(found.reproduction.history))
    assert again.failure == found.verdict


THREADS = f"{A}&{A},seed=1"


def test_what_fails_beside_other_threads_is_apart_from_what_fails_after_other_calls():
    given = [failing(), failing(THREADS), failing(f"{A}&{A},seed=2&{A}")]
    found, not_looked_at = with_histories(kept(), [], given)
    assert {c.smallest.history for c in found} == {HISTORY, read_history(THREADS)}
    assert not_looked_at == given[2:]
    declared = {c.smallest.history: c.diagnosis.declaration for c in found}
    assert declared[HISTORY] == ""
    assert "@convcheck.capabilities(thread_safe=False)" in declared[read_history(THREADS)]


def test_a_cause_of_state_that_shows_without_threads_leaves_what_needs_them():
    found, _ = with_histories(kept(), [of_state()], [failing(THREADS)])
    assert [c.explains for c in found] == [of_state().explains, (failing(THREADS),)]


def test_a_race_is_a_finding_with_its_history_as_often_as_it_repeats():
    candidate = InProcessCandidate(SharedWorkspace)
    (found,) = findings_of(candidate, [failing(THREADS)], lambda _: ())
    assert (found.clause, found.level) == ("C2D-PURE-4", Level.STATE)
    assert found.reproduction.history == THREADS
    assert found.reproduction.reproduced == ATTEMPTS
    assert replay_command(found) == f"convcheck replay --history '{THREADS}' --backend numpy"
    assert THREADS in script(RECORD, found)
    (once,) = findings_of(InProcessCandidate(NumpyBackend), [failing(THREADS)], lambda _: ())
    assert once.seen_once


def test_a_buffer_that_is_given_twice_is_one_finding_with_threads_and_without():
    make = defect("result-buffer-reused").backend
    cases = [read(f"v1,x=1x2x4x{width},out=2,k=2,seed={width}") for width in (3, 4)]
    history = read_history(THREADS)
    verdict = play(InProcessCandidate(make), history).failure
    beside = Failure(0, 0, history[-1].case, verdict, history=history)
    plain = judge_block(InProcessCandidate(make), cases, 0).failures
    (found,) = findings_of(InProcessCandidate(make), [*plain, beside], lambda _: cases)
    assert found.clause == "C2D-PURE-6"
    assert found.failing_cases == len(plain) + 1
