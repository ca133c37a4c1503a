import heapq
import random
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from itertools import count, islice, takewhile
from types import SimpleNamespace
from typing import ClassVar

import pytest

from convcheck.campaign import scheduler
from convcheck.campaign.campaign import environment
from convcheck.campaign.job import CutShortError, Job, never
from convcheck.campaign.options import Options
from convcheck.campaign.past import NOTHING, PastPart
from convcheck.campaign.scheduler import tallies
from convcheck.judging.blocks import BLOCK
from convcheck.judging.parts import UNIT
from convcheck.judging.tally import Tally
from convcheck.model.origins import Origin
from stand_ins import failure, probe_of

WRONG = "convcheck.defects:group-outputs-interleaved"


def job(**options):
    return Job(WRONG, Options(specs=(WRONG,), **{"in_process": True, **options}))


class Numbered(Job):
    """A job whose blocks are a case each: their tallies say their number."""

    def judge(self, candidate, number, past=NOTHING, stopped=never):
        if past.done:
            return past.tally
        return Tally(cases=1, failures=[failure(block=number)])


def parts_of(examples):
    return len(list(takewhile(bool, map(job(examples=examples).part, count()))))


def handed_over(**options):
    made = Numbered(WRONG, Options(specs=(WRONG,), **{"in_process": True, **options}))
    return [each.failures[0].block for each in tallies(made, None)]


@pytest.mark.parametrize("examples", [1, 60, 251, 600])
def test_parts_hold_the_examples_that_are_asked_for(examples):
    made = job(examples=examples, dtypes=("float32",))
    capabilities = made.open().capabilities
    parts = list(takewhile(bool, map(made.part, count())))
    own = (Origin.DRAWN, Origin.REACH)
    cases = [made.cases(capabilities, at) for at, part in enumerate(parts) if part.origin in own]
    searched = sum(part.size for part in parts if part.origin is Origin.SEARCHED)
    assert sum(map(len, cases)) + searched == examples
    assert all(case.dtype == "float32" for block in cases for case in block)


@pytest.mark.parametrize("origin", [Origin.DRAWN, Origin.SEARCHED])
def test_every_part_meets_a_fresh_candidate(origin):
    made = job(examples=30)
    candidate = probe_of(lambda: made.open()._backend).candidate
    at = next(n for n in count() if made.part(n).origin is origin)
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
    assert sum(each.cases for each in others) == 5


def test_the_way_to_a_failure_that_was_searched_is_kept():
    made = job(examples=400)
    with closing(made.open()) as candidate:
        at = next(n for n in count() if made.part(n).origin is Origin.SEARCHED)
        found = made.judge(candidate, at)
    (failure_, *_) = [f for f in found.failures if f.origin is Origin.SEARCHED]
    assert found.searched[at][failure_.position] == failure_.case


def test_tallies_come_in_the_order_of_the_parts_until_they_are_used_up():
    assert handed_over(examples=4 * BLOCK) == list(range(parts_of(4 * BLOCK)))


def test_no_block_begins_after_the_time_is_used_up_but_there_is_one(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(scheduler, "time", SimpleNamespace(perf_counter=lambda: float(next(clock))))
    assert handed_over(examples=None, seconds=2.5) == [0, 1, 2]
    assert handed_over(examples=None, seconds=0.0) == [0]


def test_many_workers_in_process_are_one():
    assert handed_over(examples=2 * BLOCK, workers=4) == list(range(parts_of(2 * BLOCK)))


class InThisProcess:
    """A pool of no processes."""

    def __init__(self, workers, _context, initializer, arguments):
        initializer(*arguments)

    def submit(self, function, *arguments):
        future = Future()
        future.set_result(function(*arguments))
        return future

    def shutdown(self, **_):
        scheduler._OPENED.clear()


@pytest.fixture
def reversed_pool(monkeypatch):
    """Workers that finish in the reverse of the order in which they began."""
    most = []

    def wait(pending, *_):
        most.append(len(pending))
        return SimpleNamespace(done=[list(pending)[-1]])

    monkeypatch.setattr(scheduler, "ProcessPoolExecutor", InThisProcess)
    monkeypatch.setattr(scheduler, "wait", wait)
    monkeypatch.setattr(scheduler, "_open", lambda made: scheduler._OPENED.append((made, None)))
    return most


def test_side_by_side_tallies_come_in_order_whoever_is_done_first(reversed_pool):
    assert handed_over(examples=9 * BLOCK, workers=2, in_process=False) == list(range(parts_of(9 * BLOCK)))
    assert max(reversed_pool) == 4  # two for each worker


def test_side_by_side_there_is_a_block_too_though_the_time_is_used_up(reversed_pool):
    assert handed_over(examples=9 * BLOCK, workers=2, in_process=False, seconds=0.0) == [0]


def test_whoever_stops_asking_leaves_nothing_behind(reversed_pool):
    made = Numbered(WRONG, Options(specs=(WRONG,), examples=9 * BLOCK, workers=2))
    started = tallies(made, None)
    assert len(list(islice(started, 2))) == 2
    started.close()
    assert scheduler._OPENED == []


class Told:
    """Whether a run is to stop: after so many questions it is."""

    def __init__(self, after):
        self.left, self.hurried = after, []

    def requested(self):
        self.left -= 1
        return self.left < 0

    def hurry(self, seconds):
        self.hurried.append(seconds)


def test_who_is_told_to_stop_hands_over_what_was_judged():
    class CutShort(Numbered):
        def judge(self, candidate, number, past=NOTHING, stopped=never):
            if stopped():
                raise CutShortError(Tally(cases=7), KeyboardInterrupt())
            return Tally(cases=1)

    made = CutShort(WRONG, Options(specs=(WRONG,), examples=BLOCK, in_process=True))
    judged = []
    with pytest.raises(KeyboardInterrupt):
        _into(judged, tallies(made, None, Told(2)))
    assert judged == [1, 1, 7]


def _into(cases, started):
    for tally in started:  # which ends in an interrupt
        cases.append(tally.cases)


def test_side_by_side_whoever_is_told_to_stop_hands_over_what_was_judged(reversed_pool):
    made = Numbered(WRONG, Options(specs=(WRONG,), examples=9 * BLOCK, workers=2))
    told, judged = Told(3), []
    with pytest.raises(KeyboardInterrupt):
        _into(judged, tallies(made, None, told))
    assert 3 <= len(judged) <= 3 + 4  # of those that were under way all are done here
    assert told.hurried == [0]


def test_what_was_judged_before_is_handed_over_in_its_place(reversed_pool):
    past = {2: PastPart(Tally(failures=[failure(block=200)]), done=True)}
    made = Numbered(WRONG, Options(specs=(WRONG,), examples=2 * BLOCK, workers=2))
    found = [t.failures[0].block for t in tallies(made, None, pasts=lambda index: past.get(index, NOTHING))]
    assert found == [200 if at == 2 else at for at in range(parts_of(2 * BLOCK))]


class Losing(InThisProcess):
    """A pool that some processes of are lost, each with what they were at."""

    losses: ClassVar = []

    def submit(self, function, *arguments):
        if self.losses and self.losses[0] == arguments[0]:
            self.losses.pop(0)
            future = Future()
            future.set_exception(BrokenProcessPool("killed"))
            return future
        return super().submit(function, *arguments)


def test_parts_of_lost_processes_are_judged_by_others(reversed_pool, monkeypatch):
    monkeypatch.setattr(scheduler, "ProcessPoolExecutor", Losing)
    monkeypatch.setattr(Losing, "losses", [3, 5, 9])
    assert handed_over(examples=2 * BLOCK, workers=2, in_process=False) == list(range(parts_of(2 * BLOCK)))
    assert not Losing.losses


def test_processes_that_are_lost_again_and_again_end_it(reversed_pool, monkeypatch):
    monkeypatch.setattr(scheduler, "ProcessPoolExecutor", Losing)
    monkeypatch.setattr(Losing, "losses", [0, 0, 0])
    with pytest.raises(BrokenProcessPool, match="3 times"):
        handed_over(examples=2 * BLOCK, workers=2, in_process=False)


SECONDS = {
    Origin.DRAWN: 0.03,
    Origin.SEARCHED: 0.045,
    Origin.REACH: 0.065,
    Origin.HISTORY: 0.4,
    Origin.LONG_HISTORY: 0.02,
}
"""Of a case, a history or a step of a small kernel."""


@pytest.mark.parametrize("workers", [2, 7, 16])
@pytest.mark.parametrize("times", [0.3, 1.0, 30.0])
@pytest.mark.parametrize("seed", range(3))
def test_many_processes_are_kept_busy_to_the_end(workers, times, seed):
    """By a clock of its own: whoever is free takes the next part, as in a pool."""
    rng = random.Random(seed)
    made = job(examples=10_000)
    lengths = [
        sum(times * SECONDS[part.origin] * rng.lognormvariate(-0.5, 1.0) for _ in range(part.size))
        for part in takewhile(bool, map(made.part, count()))
    ]
    free = [0.0] * workers
    for length in lengths:
        heapq.heapreplace(free, free[0] + length)
    assert sum(lengths) / (workers * max(free)) >= 0.85


def counted(tally):
    return tally.cases, tally.counts, tally.margins, tally.failures, tally.coverage


def test_two_processes_count_what_one_does():
    examples = 2 * UNIT + 1
    one, two = (job(examples=examples, dtypes=("float32",), workers=workers, in_process=False) for workers in (1, 2))
    with closing(one.open()) as candidate:
        alone = [counted(each) for each in tallies(one, candidate)]
    assert [counted(each) for each in tallies(two, None)] == alone
    assert sum(cases for cases, *_ in alone) == examples
    assert alone[0][3]


def test_the_environment_says_what_the_reference_computes_with():
    found = environment()
    assert {"python", "platform", "processor", "cores", "numpy", "ml_dtypes"} <= set(found)
    assert all(found.values())
