"""Without what only Linux has: workers are started, not forked, and their memory is not guarded; verdicts are the same."""

import os
from contextlib import closing

import pytest

import bare_system
from convcheck import Status
from convcheck.execution import SubprocessCandidate, open_candidate
from convcheck.execution.opening import MissingInSystemError
from convcheck.judging.judge import judge_case
from convcheck.model import system
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES, JUDGED

CASE = read("v1,x=1x1x4x4,out=1,k=2")
KERNEL = """
import os, signal
from convcheck import capabilities
from convcheck_reference import Conv2dParams, conv2d

def right(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    out, channels, *size = weight.shape
    params = Conv2dParams(channels * groups, out, tuple(size), stride, padding, dilation, groups, bias is not None)
    return conv2d(x, weight, bias, params).astype(x.dtype)

def wrong(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return right(x, weight[..., ::-1], bias, stride, padding, dilation, groups)

@capabilities(arrays="numpy")
def crashes(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    os.kill(os.getpid(), signal.SIGSEGV)

@capabilities(arrays="numpy")
def hangs(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    print(os.getpid(), flush=True, file=open("hanging", "w"))
    signal.pause()
"""


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """The statuses of a case's verdicts there."""
    bare_system.bare(monkeypatch, tmp_path)
    (tmp_path / "kernel.py").write_text(KERNEL)
    monkeypatch.chdir(tmp_path)

    def judge(name, limit=5.0):
        spec = f"{tmp_path / 'kernel.py'}:{name}"
        with closing(SubprocessCandidate(spec, limit, bare_system.launched)) as candidate:
            return {verdict.status for verdict in judge_case(candidate, CASE)[0]}

    return judge


def test_a_right_kernel_passes_and_a_wrong_one_does_not(judged):
    right = judged("right")
    assert right & JUDGED
    assert not right & FAILURES
    assert Status.FAIL in judged("wrong")


def test_a_crash_is_found(judged):
    assert Status.CRASHED in judged("crashes")


def test_a_hang_is_found_and_ended(judged, tmp_path):
    assert Status.HUNG in judged("hangs", limit=0.5)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "hanging").read_text()), 0)


def test_what_is_missing_there_is_known_there():
    code = "from convcheck.model.system import this_system, may_fork\nprint(this_system(), may_fork())"
    found = bare_system.answers(code)
    for part in ("forks", "guards", "processes", "adoption"):
        assert f"{part}=False" in found
    assert "workers=True" in found
    assert found.endswith(" False\n")


def test_what_a_system_may_lack_is_said_where_it_is_asked_for(monkeypatch):
    monkeypatch.setattr("convcheck.execution.opening.this_system", lambda: system.System(*[False] * 6))
    with pytest.raises(MissingInSystemError, match="leave out --untrusted"):
        open_candidate("numpy", untrusted=True)
    with pytest.raises(MissingInSystemError, match="run with --in-process"):
        open_candidate("numpy")
    with closing(open_candidate("numpy", in_process=True)) as candidate:
        assert candidate.name == "numpy"


def test_this_system_lacks_nothing_that_has_no_words():
    assert set(system.LOST) == set(system.System.__dataclass_fields__)
