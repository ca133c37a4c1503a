import pytest

from convcheck.cli import main
from convcheck.model.history import HistoryError

A = "v1,x=1x2x3x3,out=2,k=2"
LINE = f"{A} {A}@weight=1"
KERNEL = """
import threading
import convcheck
import numpy as np
from convcheck_backends import NumpyBackend

class Keeping(NumpyBackend):
    def __init__(self):
        self.kept = {}

    def conv2d(self, x, weight, bias, params):
        return super().conv2d(x, self.kept.setdefault(weight.shape, weight.copy()), bias, params)

class Wrong(NumpyBackend):
    def conv2d(self, x, weight, bias, params):
        return super().conv2d(x, weight, bias, params) + x.dtype.type(1)

class Sharing(NumpyBackend):
    def __init__(self):
        self.meeting, self.kept = threading.Barrier(2), {}

    def conv2d(self, x, weight, bias, params):
        right = super().conv2d(x, weight, bias, params)
        output = self.kept.setdefault(right.shape, right.copy())
        output[...] = right
        if threading.current_thread() is not threading.main_thread():
            self.meeting.wait(20.0)
        return output

def forward(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    raise AssertionError("never called")

@convcheck.capabilities(thread_safe=False)
def unsafe(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    raise AssertionError("never called")
"""


@pytest.fixture
def replay(monkeypatch, capsys, tmp_path):
    kernel = tmp_path / "kernel.py"
    kernel.write_text(KERNEL)

    def run(name, *arguments):
        backend = f"{kernel}:{name}" if name != "numpy" else name
        monkeypatch.setattr("sys.argv", ["convcheck", "replay", "--backend", backend, "--in-process", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        shown = capsys.readouterr()
        return stopped.value.code, " ".join((shown.out + shown.err).split())

    return run


def test_a_history_that_fails_says_in_which_call_and_of_what(replay):
    code, shown = replay("Keeping", "--history", LINE)
    assert code == 1
    assert "2. other contents of weight" in shown
    assert "step: 2; quantity: output; status: fail; clause: C2D-PURE-4; reason: output is wrong" in shown
    assert "a matter of state: in the last of 2 calls" in shown


def test_calls_of_several_threads_are_made_so_again(replay):
    code, shown = replay("Sharing", "--history", f"{A}&{A},seed=1")
    assert code == 1
    assert "float32, forward, from 2 threads at once, beside it: other contents of x and weight" in shown
    assert "it is the result of another thread's call" in shown
    assert "a matter of state: in one of 2 calls from as many threads at once" in shown
    assert replay("Sharing", "--history", f"{A} {A},seed=1")[0] == 0


def test_a_history_that_passes_on_the_reference_passes(replay):
    code, shown = replay("numpy", "--history", LINE)
    assert code == 0
    assert "2 output pass" in shown
    assert "state" not in shown


def test_a_call_that_is_wrong_by_itself_is_wrong_and_no_matter_of_state(replay):
    code, shown = replay("Wrong", "--history", LINE)
    assert code == 1
    assert "no matter of state" in shown


@pytest.mark.parametrize("arguments", [(), (A, "--history", LINE)])
def test_either_cases_or_a_history_are_expected(replay, arguments):
    code, shown = replay("numpy", *arguments)
    assert code == 2
    assert "--history 'STEP STEP" in shown


def test_a_history_that_cannot_be_read_or_is_not_supported_is_refused(replay):
    assert replay("numpy", "--history", "nonsense")[0] == 2
    code, shown = replay("forward", "--history", f"{A} {A}@backward")
    assert code == 2
    assert "gradients are not declared" in shown
    assert replay("forward", "--history", f"{A},mode=reflect")[0] == 2
    code, shown = replay("unsafe", "--history", f"{A}&{A}")
    assert code == 2
    assert "calls from several threads at once are not declared" in shown
    assert issubclass(HistoryError, ValueError)
