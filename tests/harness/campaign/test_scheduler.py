from concurrent.futures import Future
from contextlib import closing
from itertools import islice
from types import SimpleNamespace

import pytest

from convcheck.campaign import scheduler
from convcheck.campaign.campaign import environment
from convcheck.campaign.options import Options
from convcheck.campaign.scheduler import Job, tallies
from convcheck.judging.blocks import BLOCK
from convcheck.judging.judge import Tally
from convcheck.model.origins import Origin
from stand_ins import failure, probe_of

WRONG = "convcheck.defects:group-outputs-interleaved"


def job(**options):
    return Job(WRONG, Options(specs=(WRONG,), **{"in_process": True, **options}))


class Numbered(Job):
    """A job whose blocks are a case each: their tallies say their number."""

    def judge(self, candidate, number):
        return Tally(cases=1, failures=[failure(block=number)])


def handed_over(**options):
    made = Numbered(WRONG, Options(specs=(WRONG,), **{"in_process": True, **options}))
    return [each.failures[0].block for each in tallies(made, None)]


@pytest.mark.parametrize("examples", [1, 60, 251, 600])
def test_parts_hold_the_examples_that_are_asked_for(examples):
    made = job(examples=examples, dtypes=("float32",))
    capabilities = made.open().capabilities
    drawn = [made.cases(capabilities, at) for at in range(9) if (p := made.part(at)) and p.origin is Origin.DRAWN]
    searched = sum(p.size for at in range(9) if (p := made.part(at)) and p.origin is Origin.SEARCHED)
    assert sum(map(len, drawn)) + searched == examples
    assert all(case.dtype == "float32" for block in drawn for case in block)


@pytest.mark.parametrize("origin", [Origin.DRAWN, Origin.SEARCHED])
def test_every_part_meets_a_fresh_candidate(origin):
    made = job(examples=30)
    candidate = probe_of(lambda: made.open()._backend).candidate
    at = next(n for n in range(9) if made.part(n).origin is origin)
    judged = [made.judge(candidate, at) for _ in range(2)]
    assert candidate.restarts == 2
    assert all(tally.seconds["generation"] > 0 for tally in judged)
    assert all(tally.origins == {origin: tally.cases} for tally in judged)
    assert counted(judged[0]) == counted(judged[1])


def test_cases_that_failed_before_come_first_and_are_counted_apart():
    wrong = "v1,x=1x4x3x3,out=4,k=1,g=2"
    made = Job(WRONG, Options(specs=(WRONG,), examples=5, in_process=True), (wrong,))
    with closing(made.open()) as candidate:
        first, *others = tallies(made, candidate)
    assert first.origins == {Origin.REMEMBERED: 1}
    assert {f.case.token for f in first.failures} == {wrong}
    assert sum(each.cases for each in others) == 6  # one of which reaches far


def test_the_way_to_a_failure_that_was_searched_is_kept():
    made = job(examples=400)
    with closing(made.open()) as candidate:
        at = next(n for n in range(9) if made.part(n).origin is Origin.SEARCHED)
        found = made.judge(candidate, at)
    (failure_, *_) = [f for f in found.failures if f.origin is Origin.SEARCHED]
    assert found.searched[at][failure_.position] == failure_.case


def test_tallies_come_in_the_order_of_the_parts_until_they_are_used_up():
    assert handed_over(examples=4 * BLOCK) == list(range(12))


def test_no_block_begins_after_the_time_is_used_up_but_there_is_one(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(scheduler, "time", SimpleNamespace(perf_counter=lambda: float(next(clock))))
    assert handed_over(examples=None, seconds=2.5) == [0, 1, 2]
    assert handed_over(examples=None, seconds=0.0) == [0]


def test_many_workers_in_process_are_one():
    assert handed_over(examples=2 * BLOCK, workers=4) == list(range(8))


class InThisProcess:
    """A pool of no processes."""

    def __init__(self, workers, _context, initializer, arguments):
        initializer(*arguments)

    def submit(self, function, number):
        future = Future()
        future.set_result(function(number))
        return future

    def shutdown(self, **_):
        scheduler._OPENED.clear()


@pytest.fixture
def reversed_pool(monkeypatch):
    """Workers that finish in the reverse of the order in which they began."""
    most = []

    def wait(pending, **_):
        most.append(len(pending))
        return SimpleNamespace(done=[list(pending)[-1]])

    monkeypatch.setattr(scheduler, "ProcessPoolExecutor", InThisProcess)
    monkeypatch.setattr(scheduler, "wait", wait)
    monkeypatch.setattr(scheduler, "_open", lambda made: scheduler._OPENED.append((made, None)))
    return most


def test_side_by_side_tallies_come_in_order_whoever_is_done_first(reversed_pool):
    assert handed_over(examples=9 * BLOCK, workers=2, in_process=False) == list(range(21))
    assert max(reversed_pool) == 4  # two for each worker


def test_side_by_side_there_is_a_block_too_though_the_time_is_used_up(reversed_pool):
    assert handed_over(examples=9 * BLOCK, workers=2, in_process=False, seconds=0.0) == [0]


def test_whoever_stops_asking_leaves_nothing_behind(reversed_pool):
    made = Numbered(WRONG, Options(specs=(WRONG,), examples=9 * BLOCK, workers=2))
    started = tallies(made, None)
    assert len(list(islice(started, 2))) == 2
    started.close()
    assert scheduler._OPENED == []


def counted(tally):
    return tally.cases, tally.counts, tally.margins, tally.failures, tally.coverage


def test_two_processes_count_what_one_does():
    one, two = (job(examples=BLOCK + 1, dtypes=("float32",), workers=workers, in_process=False) for workers in (1, 2))
    with closing(one.open()) as candidate:
        alone = [counted(each) for each in tallies(one, candidate)]
    assert [counted(each) for each in tallies(two, None)] == alone
    assert [cases for cases, *_ in alone] == [201, 50, 5, 50, 0, 0]
    assert alone[0][3]


def test_the_environment_says_what_the_reference_computes_with():
    found = environment()
    assert {"python", "platform", "processor", "cores", "numpy", "ml_dtypes"} <= set(found)
    assert all(found.values())
