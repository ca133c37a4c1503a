from itertools import count

import pytest

from altered import off_by
from convcheck.defects import defect
from convcheck.execution import InProcessCandidate
from convcheck.judging.history_shrinking import shrunk, with_fewest_steps, with_fewest_threads
from convcheck.judging.playing import TIMES, play
from convcheck.model.history import has_threads, read_history
from convcheck_backends import NumpyBackend
from racing import SharedOutput, SharedWorkspace

A = "v1,x=1x2x3x3,out=2,k=2"
OTHER = "v1,x=1x1x4x4,out=1,k=1"


def failing(make, line):
    """A candidate, a history that fails on it, and the verdict."""
    candidate, history = InProcessCandidate(make), read_history(line)
    return candidate, history, play(candidate, history).failure


def test_only_the_steps_stay_without_which_nothing_fails():
    line = f"{OTHER} {A} {A}@bias=3 {OTHER} {A},s=2 {A}@weight=1"
    candidate, history, failure = failing(defect("weight-kept-by-shape").backend, line)
    fewest, verdict = with_fewest_steps(candidate, history, failure)
    assert fewest in [(history[at], history[-1]) for at in (1, 2, 4)]
    assert verdict == play(candidate, fewest).failure


@pytest.mark.parametrize("line", [f"{A}&{A}@weight=1", f"{OTHER} {A}@weight=1&{A}&{OTHER}", f"{A} {A}&{A}@weight=1"])
def test_what_one_thread_shows_is_not_shown_as_one_of_threads(line):
    candidate, history, failure = failing(defect("weight-kept-by-shape").backend, line)
    fewest, verdict = shrunk(candidate, history, failure)
    assert len(fewest) == 2
    assert not has_threads(fewest)
    assert verdict == play(candidate, fewest).failure


def test_what_takes_many_calls_is_not_shown_as_one_of_threads():
    candidate, history, failure = failing(defect("right-while-warming-up").backend, f"{A}&{A},seed=1 {A}&{A}@bias=2")
    fewest, _ = shrunk(candidate, history, failure)
    assert len(fewest) == 11 > 2 * TIMES
    assert not has_threads(fewest)


@pytest.mark.parametrize("make", [SharedWorkspace, SharedOutput])
def test_what_takes_threads_keeps_two_and_no_step_before(make):
    candidate, history, failure = failing(make, f"{OTHER} {A}@bias=3 {A}&{A},seed=1")
    fewest, verdict = shrunk(candidate, history, failure)
    assert fewest == history[-1:]
    assert "2 calls from as many threads at once, and right" in verdict.reason


def test_a_thread_that_is_not_needed_is_left_out():
    candidate, history, failure = failing(SharedWorkspace, f"{A}&{A},seed=1&{A}@backward")  # backward meets nobody
    fewest, _ = with_fewest_threads(candidate, history, failure)
    assert fewest == read_history(f"{A}&{A},seed=1")


def test_a_race_that_does_not_show_every_time_is_tried_again():
    class SeldomRacing(SharedWorkspace):
        loads = count()

        def __init__(self):
            super().__init__()
            self.racing = next(self.loads) % 3 == 0

        def conv2d(self, x, weight, bias, params):
            if self.racing:
                return super().conv2d(x, weight, bias, params)
            return NumpyBackend.conv2d(self, x, weight, bias, params)

    racing = read_history(f"{OTHER} {A}&{A},seed=1")
    candidate = InProcessCandidate(SeldomRacing)
    failure = next(filter(None, (play(candidate, racing).failure for _ in range(3))))
    fewest, _ = with_fewest_steps(candidate, racing, failure)
    assert fewest == racing[-1:]


def test_what_never_fails_again_stays_as_it_was_seen():
    class Once(NumpyBackend):
        calls = count(1)

        def conv2d(self, x, weight, bias, params):
            output = super().conv2d(x, weight, bias, params)
            return off_by(1)(output) if next(self.calls) == 3 else output

    candidate, history, failure = failing(Once, f"{OTHER} {A}&{A},seed=1")
    assert shrunk(candidate, history, failure) == (history, failure)
