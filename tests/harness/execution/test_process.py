"""What the judge learns of a worker's process: what it printed, how it ended, and where it worked."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from convcheck.execution import SubprocessCandidate
from convcheck.execution.launch import trusted, untrusted
from convcheck.model.calls import Call, Died, Operation, Raised, Tensor
from convcheck_reference import Arguments

KERNEL = """
import os, sys
def conv(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    what = int(x.flat[0])
    if what == 0:
        raise ValueError(os.getcwd() + " " + repr(os.listdir()))
    os.write(1, b"out %d\\n" % what)
    sys.stderr.write("err %d\\n" % what)
    sys.stderr.flush()
    if what == 9:
        os.write(2, b"x" * 10_000)
    os._exit(what)
"""


@pytest.fixture
def spec(tmp_path):
    (tmp_path / "kernel.py").write_text(KERNEL)
    return f"{tmp_path / 'kernel.py'}:conv"


def call(what):
    x = Tensor(np.full((1, 1, 1, 1), what, np.float32))
    return Call(Operation.FORWARD, Arguments(1, 1, 1, bias=False), {"x": x, "weight": x})


@pytest.mark.parametrize("launcher", [trusted, untrusted])
def test_a_death_comes_with_its_status_and_what_this_worker_printed(spec, launcher):
    with closing(SubprocessCandidate(spec, launcher=launcher)) as candidate:
        first, second = candidate.call_all([call(3), call(4)])
    assert isinstance(first, Died)
    assert (first.how, second.how) == ("exit status 3", "exit status 4")
    assert ("out 3" in first.stderr, "err 3" in first.stderr) == (True, True)
    assert "err 4" in second.stderr
    assert "3" not in second.stderr


def test_of_much_output_the_end_is_kept(spec):
    with closing(SubprocessCandidate(spec)) as candidate:
        assert candidate.call(call(9)).stderr == "x" * 4000


def test_who_is_not_trusted_works_in_an_empty_folder_that_goes_with_him(spec):
    with closing(SubprocessCandidate(spec, launcher=untrusted)) as candidate:
        outcome = candidate.call(call(0))
        assert isinstance(outcome, Raised)
        folder, _, listed = outcome.message.partition(" ")
        assert listed == "[]"
        assert Path(folder).is_dir()
    assert not Path(folder).exists()


def test_who_is_trusted_works_where_the_user_is(spec, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with closing(SubprocessCandidate(spec)) as candidate:
        assert candidate.call(call(0)).message.startswith(str(tmp_path))
