import os
import signal
import threading

import pytest

from convcheck.campaign import stopping
from convcheck.campaign.stopping import SIGNALS, BySignal, Never, StopAtOnce

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no interval timers")


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_asks_to_stop_and_the_second_stops(number):
    stop = BySignal()
    before = signal.getsignal(number)
    with stop.listening():
        assert not stop.requested()
        os.kill(os.getpid(), number)
        assert stop.requested()
        with pytest.raises(StopAtOnce) as ended:
            os.kill(os.getpid(), number)
        assert ended.value.number == number
    assert signal.getsignal(number) == before


def test_what_takes_long_after_a_signal_is_interrupted(monkeypatch):
    monkeypatch.setattr(stopping, "CASE", 0.01)
    stop = BySignal()
    with stop.listening():
        with pytest.raises(KeyboardInterrupt):
            _wait_for(lambda: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            _wait_for(lambda: stop.hurry(0.01))


def test_reports_are_written_in_peace(monkeypatch):
    monkeypatch.setattr(stopping, "CASE", 0.01)
    stop = BySignal()
    with stop.listening():
        stop.hurry(0)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.requested()
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def _wait_for(begin):
    begin()
    while True:
        signal.pause()


def test_elsewhere_than_in_a_main_thread_nobody_listens():
    heard = []

    def listen():
        with BySignal().listening():
            heard.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert heard == [signal.getsignal(signal.SIGINT)]


def test_nobody_stops_a_run_that_nobody_can():
    never = Never()
    never.hurry(1.0)
    assert not never.requested()
