"""A campaign keeps what was done: an interrupt, wherever it comes, leaves a record."""

import math

import pytest

from convcheck import Status, load
from convcheck.campaign import campaign, scheduler
from convcheck.campaign.campaign import Options, run
from convcheck.model.record import NOT_LOOKED_AT, PARTS_OF_TIME
from convcheck.model.verdicts import FAILURES
from stand_ins import Counted

WRONG = "convcheck.defects:group-outputs-interleaved"


def recorded(progress=lambda *_: None, **options):
    chosen = Options(**{"specs": (WRONG,), "examples": 60, "in_process": True, "diagnosis_calls": 5, **options})
    return run(chosen, name="run", command="test", progress=progress, checkpoint=lambda _: None)


def failing(record):
    """The clauses that failing cases exercise."""
    return {count.clause for count in record.counts if count.status in FAILURES | {Status.ELSEWHERE}}


@pytest.fixture(scope="module")
def whole():
    return recorded(diagnosis_calls=6000)


def test_an_interrupted_run_is_a_record_of_what_was_done(whole):
    def interrupt(_spec, cases, _state):
        if cases == 250:
            raise KeyboardInterrupt

    record = recorded(interrupt, specs=("numpy", "torch-cpu"), examples=750)
    assert record.interrupted
    assert [(b.name, b.cases) for b in record.backends] == [("numpy", 250)]
    assert not whole.interrupted


def test_an_interrupt_while_causes_are_looked_for_leaves_the_failures_in_the_record(whole, monkeypatch):
    whole_search = campaign.triage

    def interrupted(*arguments, most_calls, **others):
        if most_calls:
            raise KeyboardInterrupt
        return whole_search(*arguments, most_calls=most_calls, **others)

    monkeypatch.setattr(campaign, "triage", interrupted)
    record = recorded()
    assert record.interrupted
    assert not record.conforms
    assert record.undecided
    assert failing(record) == failing(whole)


class Interrupted(Counted):
    """A candidate during one of whose calls the run is interrupted, and which notes what is asked of it from then on."""

    def __init__(self):
        self.left, self.after = math.inf, []
        super().__init__(lambda: load(WRONG))

    def call(self, call):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        self.after += ["call"] if self.left < 0 else []
        return super().call(call)

    def restart(self):
        self.after += ["restart"] if self.left < 0 else []
        super().restart()


def test_after_an_interrupt_while_causes_are_looked_for_the_candidate_is_not_asked_again(whole, monkeypatch):
    candidate = Interrupted()
    monkeypatch.setattr(scheduler, "open_candidate", lambda *_, **__: candidate)

    def interrupt(_spec, _cases, state):
        if state.startswith("looking for the causes"):
            candidate.left = 7

    record = recorded(interrupt, diagnosis_calls=6000)
    assert record.interrupted
    assert candidate.left == 0
    assert not candidate.after
    assert record.undecided
    assert failing(record) == failing(whole)


def test_few_calls_for_causes_lose_no_failure(whole):
    record = recorded()
    assert {f.status for f in record.findings} == {Status.FAIL}
    assert failing(record) == failing(whole)
    assert any(c.reason == NOT_LOOKED_AT for c in record.counts)
    assert not any(c.reason == NOT_LOOKED_AT for c in whole.counts)


def test_progress_says_that_causes_are_looked_for():
    said = []
    recorded(lambda *told: said.append(told))
    assert [cases for _, cases, _ in said] == [48, 60, 72, 72, 72, 72]
    assert said[1][2].startswith("60 cases, ")
    assert said[-1][2].startswith("looking for the causes of ")


def test_the_time_is_told_by_parts_none_of_which_holds_another(whole):
    (backend,) = whole.backends
    assert tuple(backend.seconds) == PARTS_OF_TIME
    assert all(seconds > 0 for seconds in backend.seconds.values())
    assert sum(backend.seconds.values()) <= whole.seconds
