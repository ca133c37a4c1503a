"""What a call leaves changed around it is named, and put back before the next."""

import ctypes
import gc
import locale
import os
import signal
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.utils._device  # what torch imports when a default device is set

from convcheck.execution import InProcessCandidate
from convcheck.execution.surroundings import Surroundings
from convcheck.model.calls import Call, Operation, Raised, Tensor
from convcheck_backends import NumpyBackend, TorchCpu
from convcheck_reference import Arguments

UPWARD = 0x800 if sys.platform == "linux" and os.uname().machine == "x86_64" else 0x400000


def other_locale():
    now = locale.setlocale(locale.LC_ALL)
    locale.setlocale(locale.LC_ALL, "C" if "UTF-8" in now else "C.UTF-8")


CHANGES = {
    "the rounding mode": lambda: ctypes.CDLL(None).fesetround(UPWARD),
    "whether subnormal numbers are flushed": lambda: torch.set_flush_denormal(True),
    "NumPy's handling of floating-point errors": lambda: np.seterr(divide="raise"),
    "the working directory": lambda: os.chdir("/"),
    "the umask": lambda: os.umask(0o70),
    "the locale": other_locale,
    "the environment (CONVCHECK_LEFT)": lambda: os.environ.update(CONVCHECK_LEFT="1"),
    "the environment (PATH)": lambda: os.environ.pop("PATH"),
    "the filters of warnings": lambda: warnings.simplefilter("always"),
    "the handlers of signals (SIGUSR1)": lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN),
    "an alarm": lambda: signal.alarm(1000),
    "the recursion limit": lambda: sys.setrecursionlimit(3456),
    "whether garbage is collected": gc.disable,
    "torch's default dtype": lambda: torch.set_default_dtype(torch.float64),
    "torch's default device": lambda: torch.set_default_device("meta"),
    "torch's number of threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "torch's grad mode": lambda: torch.set_grad_enabled(False),
    "torch's deterministic algorithms": lambda: torch.use_deterministic_algorithms(True),
    "torch's precision of float32 products": lambda: torch.set_float32_matmul_precision("medium"),
    "torch's autocast on cpu": lambda: torch.set_autocast_enabled("cpu", True),
    "torch.backends.cudnn.benchmark": lambda: setattr(torch.backends.cudnn, "benchmark", True),
    "torch.backends.mkldnn.enabled": lambda: torch._C._set_mkldnn_enabled(False),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_named_and_put_back(name):
    with warnings.catch_warnings():
        before = Surroundings()
        CHANGES[name]()
        assert before.restored() == (name,)
        assert before.restored() == ()


def test_what_a_call_puts_back_itself_is_none_of_ours():
    before = Surroundings()
    with np.errstate(all="raise"), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("error")
    assert before.restored() == ()


def test_what_importing_changes_may_be_changed_where_something_is_imported(monkeypatch):
    monkeypatch.delenv("CONVCHECK_LEFT", raising=False)
    monkeypatch.setenv("CONVCHECK_KEPT", "1")
    monkeypatch.setitem(sys.modules, "convcheck_imported", None)
    del sys.modules["convcheck_imported"]
    before = Surroundings()
    sys.modules["convcheck_imported"] = sys
    monkeypatch.setenv("CONVCHECK_LEFT", "1")
    np.seterr(divide="raise")
    assert before.restored() == ("NumPy's handling of floating-point errors",)
    assert os.environ["CONVCHECK_LEFT"] == "1"


def forward(value=1.0):
    tensors = {
        "x": Tensor(np.full((1, 1, 2, 2), value, np.float32)),
        "weight": Tensor(np.ones((1, 1, 1, 1), np.float32)),
    }
    return Call(Operation.FORWARD, Arguments(1, 1, 1, bias=False), tensors)


class Leaving(NumpyBackend):
    """Leaves a change behind, and raises where x is 2."""

    def conv2d(self, x, weight, bias, params):
        os.chdir("/")
        if x.flat[0] == 2:
            raise ValueError("after all")
        return super().conv2d(x, weight, bias, params)


def test_each_call_says_what_it_left_whether_it_returned_or_raised():
    folder, host = Path.cwd(), InProcessCandidate(Leaving)
    outcomes = host.call_all([forward(), forward(2.0)])
    assert isinstance(outcomes[1], Raised)
    assert [outcome.left for outcome in outcomes] == [("the working directory",)] * 2
    assert [[o.left for o in each] for each in host.call_at_once([[forward()], [forward()]])] == [
        [("the working directory",)]
    ] * 2
    assert Path.cwd() == folder


@pytest.mark.parametrize("backend", [NumpyBackend, TorchCpu])
def test_engines_leave_nothing(backend):
    assert not any(outcome.left for outcome in InProcessCandidate(backend).call_all([forward()] * 2))
