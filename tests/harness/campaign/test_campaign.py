"""A campaign keeps what was done: an interrupt, wherever it comes, leaves a record."""

import math

import pytest
from hypothesis.database import InMemoryExampleDatabase

from convcheck import Status, load
from convcheck.campaign import job
from convcheck.campaign.campaign import Options, run, silent
from convcheck.campaign.database import remembered
from convcheck.campaign.known_failures import KnownFailure
from convcheck.execution import WorkerStartError
from convcheck.model.ladder import Ladder
from convcheck.model.origins import Origin
from convcheck.model.record import NOT_LOOKED_AT, PARTS_OF_TIME
from convcheck.model.stages import Stage, unheard
from convcheck.model.verdicts import FAILURES
from convcheck.triage import findings
from stand_ins import Counted

WRONG = "convcheck.defects:group-outputs-interleaved"


def recorded(progress=silent, database=None, found=unheard, **options):
    chosen = Options(
        **{
            "specs": (WRONG,),
            "examples": 60,
            "in_process": True,
            "diagnosis_calls": 5,
            "reach": Ladder.QUICK,
            **options,
        }
    )
    return run(
        chosen,
        name="run",
        command="test",
        progress=progress,
        found=found,
        database=database,
    )


def failing(record):
    """The clauses that failing cases exercise."""
    return {count.clause for count in record.counts if count.status in FAILURES | {Status.ELSEWHERE}}


@pytest.fixture(scope="module")
def whole():
    return recorded(diagnosis_calls=1500)


def test_an_interrupted_run_is_a_record_of_what_was_done(whole):
    def interrupt(_spec, cases, _state):
        if cases == 250:
            raise KeyboardInterrupt

    record = recorded(interrupt, specs=("numpy", "torch-cpu"), examples=750)
    assert record.interrupted
    assert [(b.name, b.cases) for b in record.backends] == [("numpy", 250)]
    assert not whole.interrupted


class Interrupted(Counted):
    """A candidate one of whose calls ends in an interrupt or an error, and which notes what is asked from then on."""

    def __init__(self, error=KeyboardInterrupt):
        self.left, self.after, self.error = math.inf, [], error
        super().__init__(lambda: load(WRONG))

    def call(self, call):
        self.left -= 1
        if self.left == 0:
            raise self.error
        self.after += ["call"] if self.left < 0 else []
        return super().call(call)

    def restart(self):
        self.after += ["restart"] if self.left < 0 else []
        super().restart()


def test_after_an_interrupt_while_causes_are_looked_for_the_candidate_is_not_asked_again(whole, monkeypatch):
    candidate = Interrupted()
    monkeypatch.setattr(job, "open_candidate", lambda *_, **__: candidate)

    def interrupt(_spec, _cases, state):
        if state.startswith("looking for the causes"):
            candidate.left = 7

    database = InMemoryExampleDatabase()
    record = recorded(interrupt, database=database, diagnosis_calls=1000)
    assert record.interrupted
    assert not record.conforms
    assert candidate.left == 0
    assert not candidate.after
    assert record.undecided
    assert failing(record) == failing(whole)
    shown = {finding.reproduction.token for finding in record.findings}
    assert all(finding.unexamined for finding in record.findings)
    assert {finding.verdict.quantity for finding in record.findings} >= {"output"}
    assert shown == set(remembered(database, WRONG))


def test_an_interrupt_keeps_the_causes_that_were_found(whole, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(findings, "deduplicated", interrupt)
    record = recorded(diagnosis_calls=1500)
    assert record.interrupted
    assert [finding.reproduction for finding in record.findings] == [f.reproduction for f in whole.findings]


def test_a_candidate_that_dies_for_good_leaves_what_it_failed(whole, monkeypatch):
    candidate = Interrupted(WorkerStartError("its import fails now"))
    monkeypatch.setattr(job, "open_candidate", lambda *_, **__: candidate)

    def end(_spec, _cases, state):
        if state.startswith("looking for the causes"):
            candidate.left = 7

    record = recorded(end, diagnosis_calls=1000)
    assert not record.interrupted
    assert any("could not be called any more" in finding.verdict.reason for finding in record.findings)
    assert any(finding.unexamined for finding in record.findings)
    assert failing(whole) <= failing(record)


def test_few_calls_for_causes_lose_no_failure(whole):
    record = recorded()
    assert {f.status for f in record.findings} == {Status.FAIL}
    assert failing(record) == failing(whole)
    assert any(c.reason == NOT_LOOKED_AT for c in record.counts)
    assert not any(c.reason == NOT_LOOKED_AT for c in whole.counts)


def test_progress_says_that_causes_are_looked_for():
    said = []
    recorded(lambda *told: said.append(told))
    numbers = [cases for _, cases, _ in said]
    assert numbers == sorted(numbers)
    assert numbers[-2:] == [60, 60]
    assert said[-2][2].startswith("60 cases, ")
    assert said[-1][2].startswith("looking for the causes of ")


def test_the_time_is_told_by_parts_none_of_which_holds_another(whole):
    (backend,) = whole.backends
    assert tuple(backend.seconds) == PARTS_OF_TIME
    assert all(seconds > 0 for seconds in backend.seconds.values())
    assert sum(backend.seconds.values()) <= whole.seconds


def test_what_is_found_is_told_as_it_comes_and_again_once_its_cause_is_known():
    heard = []
    record = recorded(found=lambda *told: heard.append(told))
    came, smallest, causes = ([finding for stage, finding in heard if stage is each] for each in Stage)
    assert came
    assert [stage for stage, _ in heard[: len(came)]] == [Stage.SEEN] * len(came)  # all cases are judged before
    assert all(finding.unexamined for finding in came)
    assert {finding.backend for _, finding in heard} == {record.backends[0].name}
    assert {f.reproduction.token for f in causes} <= {f.reproduction.token for f in smallest}
    assert {f.reproduction.token for f in record.findings} <= {f.reproduction.token for f in causes}
    kinds = [(f.verdict.quantity, f.status, f.clause, f.level) for f in came]
    assert len(kinds) == len(set(kinds))


def test_known_failures_are_not_told_as_they_come():
    known = (KnownFailure(backend="", reason="issue 7", clause="C2D-GROUPS-1"),)
    heard = []
    recorded(found=lambda *told: heard.append(told), known=known, clause="C2D-GROUPS-1", diagnosis_calls=0)
    assert not heard


def test_given_cases_come_before_all_others_and_alone_where_no_others_are_asked_for():
    tokens = [f"v1,x=1x1x4x4,out=1,k=1,seed={seed}" for seed in range(6)]
    alone = recorded(examples=0, given=tuple(tokens))
    (counted,) = alone.backends[0].origins
    assert (counted.origin, counted.cases, alone.cases) == (Origin.GIVEN, 6, 6)
