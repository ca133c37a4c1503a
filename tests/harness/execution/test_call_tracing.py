"""Other people's convolutions are noted by their names, with what they return left alone."""

import sys

import pytest

from convcheck.execution.call_tracing import watch_functions

NAMES = ("convolve", "convolve2d", "correlate", "correlate2d", "fftconvolve", "oaconvolve")


@pytest.fixture
def signal(tmp_path, monkeypatch):
    """A stand-in for scipy.signal."""
    (tmp_path / "scipy").mkdir()
    stub = "".join(f"def {name}(*_, **__): return '{name}'\n" for name in (*NAMES, "detrend"))
    (tmp_path / "scipy" / "signal.py").write_text(stub)
    (tmp_path / "scipy" / "__init__.py").write_text("")
    for name in [n for n in sys.modules if n.split(".")[0] == "scipy"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [n for n in sys.modules if n.split(".")[0] == "scipy"]:
        del sys.modules[name]  # not by monkeypatch, which would put the stand-in back


def test_scipys_convolutions_are_noted(signal):
    noted = []
    watch_functions(noted.append)
    from scipy import signal as watched

    assert [getattr(watched, name)() for name in NAMES] == [*NAMES]
    assert noted == [f"scipy.signal.{name}" for name in NAMES]


def test_other_functions_are_nobodys_business(signal):
    noted = []
    watch_functions(noted.append)
    from scipy.signal import detrend

    assert detrend() == "detrend"
    assert not noted
