import sys
import threading

import pytest

from convcheck.execution import at_once as module
from convcheck.execution.at_once import at_once


def test_every_job_runs_beside_all_others_in_a_thread_of_its_own():
    meeting = threading.Barrier(3)

    def job(number):
        meeting.wait(10.0)
        return number, threading.get_ident()

    found = at_once([lambda number=number: job(number) for number in range(3)])
    assert [number for number, _ in found] == [0, 1, 2]
    assert len({thread for _, thread in found} | {threading.get_ident()}) == 4


def test_threads_take_short_turns_and_others_their_usual_ones():
    usual = sys.getswitchinterval()
    assert at_once([sys.getswitchinterval] * 2) == [pytest.approx(1e-6)] * 2
    assert sys.getswitchinterval() == usual


def test_what_a_job_raises_comes_out_when_all_have_ended():
    done = []

    def leave():
        raise SystemExit(3)

    usual = sys.getswitchinterval()
    with pytest.raises(SystemExit):
        at_once([leave, lambda: done.append(1)])
    assert done == [1]
    assert sys.getswitchinterval() == usual


def test_where_no_thread_is_left_nobody_waits_for_ever(monkeypatch):
    class Few(module.ThreadPoolExecutor):
        def submit(self, function, *arguments):
            if self._threads:
                raise RuntimeError("can't start new thread")
            return super().submit(function, *arguments)

    monkeypatch.setattr(module, "ThreadPoolExecutor", Few)
    with pytest.raises(RuntimeError, match="new thread"):
        at_once([lambda: 0, lambda: 1])
