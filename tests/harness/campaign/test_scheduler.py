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
from stand_ins import failure, probe_of

WRONG = "tests/plugins/wrong_kernels.py:group_order"


def job(**options):
    return Job(WRONG, Options(specs=(WRONG,), **{"in_process": True, **options}))


class Numbered(Job):
    """A job whose blocks are a case each: their tallies say their number."""

    def judge(self, candidate, number):
        return Tally(cases=1, failures=[failure(block=number)])


def handed_over(**options):
    made = Numbered(WRONG, Options(specs=(WRONG,), **{"in_process": True, **options}))
    return [each.failures[0].block for each in tallies(made, None)]


@pytest.mark.parametrize(("examples", "sizes"), [(60, [60]), (250, [250]), (600, [250, 250, 100])])
def test_blocks_hold_the_examples_that_are_asked_for(examples, sizes):
    made = job(examples=examples, dtypes=("float32",))
    drawn = [made.block(probe_of(lambda: made.open()._backend).candidate.capabilities, at) for at in range(made.blocks)]
    assert [len(block) for block in drawn] == sizes
    assert all(case.dtype == "float32" for block in drawn for case in block)


def test_without_a_number_of_examples_blocks_are_whole_and_there_is_always_another():
    made = job(examples=None, seconds=1.0)
    assert made.blocks > 10**9
    assert len(made.block(made.open().capabilities, 7)) == BLOCK


def test_every_block_meets_a_fresh_candidate(monkeypatch):
    monkeypatch.setattr(scheduler, "judge_block", lambda *_: Tally())
    made = job(examples=30)
    candidate = probe_of(lambda: made.open()._backend).candidate
    judged = [made.judge(candidate, number) for number in (0, 0)]
    assert candidate.restarts == 2
    assert all(tally.seconds["generation"] > 0 for tally in judged)


def test_tallies_come_in_the_order_of_the_blocks_until_they_are_used_up():
    assert handed_over(examples=4 * BLOCK) == [0, 1, 2, 3]


def test_no_block_begins_after_the_time_is_used_up_but_there_is_one(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(scheduler, "time", SimpleNamespace(perf_counter=lambda: float(next(clock))))
    assert handed_over(examples=None, seconds=2.5) == [0, 1, 2]
    assert handed_over(examples=None, seconds=0.0) == [0]


def test_many_workers_in_process_are_one():
    assert handed_over(examples=2 * BLOCK, workers=4) == [0, 1]


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
    assert handed_over(examples=9 * BLOCK, workers=2, in_process=False) == list(range(9))
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
    assert [cases for cases, *_ in alone] == [BLOCK, 1]
    assert alone[0][3]


def test_the_environment_says_what_the_reference_computes_with():
    found = environment()
    assert {"python", "platform", "processor", "cores", "numpy", "ml_dtypes"} <= set(found)
    assert all(found.values())
