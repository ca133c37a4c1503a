"""Reports belong to the call in which they came up, whenever they are written, and a worker that has one is replaced.

compute-sanitizer is stood in for by a script, which runs what it is given and has recorded reports in its log.
"""

import sys
from contextlib import closing

import pytest

from convcheck.execution import open_sanitized
from convcheck.execution.sanitizer_launch import UnavailableSanitizerError, sanitized
from convcheck.judging.judge import judge_case
from convcheck.model.sanitizers import Sanitizer
from convcheck.model.token import read
from convcheck.model.verdicts import Status
from convcheck.oracles.sanitizer import ORACLE

RIGHT, WRONG, LATE, DIES = (read(f"v1,x=1x1x2x2,out={out},k=1") for out in (1, 2, 3, 4))

FAKE = """#!/bin/sh
# runs the command after --, and writes to its log before and after it
while [ "$1" != -- ]; do
  case "$1" in --log-file) export FAKE_LOG=$(echo "$2" | sed "s/%p/$$/");; --tool) echo "$2" > "{told}";; esac
  shift
done
shift
export FAKE_LATE="{told}.$$"
echo "========= COMPUTE-SANITIZER" >> "$FAKE_LOG"
"$@"
[ -f "$FAKE_LATE" ] && cat "$FAKE_LATE" >> "$FAKE_LOG"
echo "========= ERROR SUMMARY: 1 error" >> "$FAKE_LOG"
"""

KERNEL = """
import os, pathlib
import numpy as np
import convcheck

REPORT = '''========= Invalid __global__ read of size 4 bytes
=========     at conv_kernel(float *)+0x70 in conv.cu:41
=========     by thread (0,0,0) in block (0,0,0)
'''

@convcheck.capabilities(dtypes=("float32",))
def conv(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    log = os.environ["FAKE_LOG"]
    assert os.environ["CONVCHECK_SANITIZER"] == "memcheck"
    if weight.shape[0] == 2:
        with open(log, "a") as file:
            file.write(REPORT)
    if weight.shape[0] == 3:
        pathlib.Path(os.environ["FAKE_LATE"]).write_text(REPORT)
    if weight.shape[0] == 4:
        os._exit(9)
    return np.zeros((1, weight.shape[0], 2, 2), np.float32)
"""


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """The spec of a kernel, with a compute-sanitizer that it can tell what to report."""
    program = tmp_path / "compute-sanitizer"
    program.write_text(FAKE.replace("{told}", str(tmp_path / "tool")))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (tmp_path / "kernel.py").write_text(KERNEL)
    return f"{tmp_path / 'kernel.py'}:conv"


def statuses(candidate, case):
    return [verdict.status for verdict in judge_case(candidate, case, (ORACLE,))[0]]


def test_a_report_belongs_to_its_call_and_those_behind_it_are_not_made(fake, tmp_path):
    with closing(open_sanitized(fake, Sanitizer.MEMCHECK)) as candidate:
        assert statuses(candidate, RIGHT) == [Status.PASS, Status.PASS]
        first, second = judge_case(candidate, WRONG, (ORACLE,))[0]
        assert (first.status, first.clauses) == (Status.FAIL, ("C2D-PURE-5",))
        assert first.reason == (
            "compute-sanitizer's memcheck reports: "
            "Invalid __global__ read of size 4 bytes at conv_kernel(float *) in conv.cu:41"
        )
        assert (second.status, "reported on" in second.reason) == (Status.NOT_APPLICABLE, True)
        assert statuses(candidate, RIGHT) == [Status.PASS, Status.PASS]
        assert candidate.finish() == ()
    assert (tmp_path / "tool").read_text() == "memcheck\n"


def test_what_is_reported_as_the_process_ends_belongs_to_a_call_once_that_is_known(fake):
    with closing(open_sanitized(fake, Sanitizer.MEMCHECK)) as candidate:
        assert statuses(candidate, LATE) == [Status.PASS, Status.PASS]  # nobody knows yet
        assert len(candidate.finish()) == 1
        assert statuses(candidate, LATE) == [Status.FAIL, Status.NOT_APPLICABLE]
        assert statuses(candidate, RIGHT) == [Status.PASS, Status.PASS]


def test_a_call_that_does_not_come_back_is_judged_elsewhere(fake):
    with closing(open_sanitized(fake, Sanitizer.MEMCHECK)) as candidate:
        assert statuses(candidate, DIES) == [Status.NOT_APPLICABLE] * 2
        assert statuses(candidate, RIGHT) == [Status.PASS] * 2


def test_a_sanitizer_that_is_not_installed_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableSanitizerError, match="racecheck needs compute-sanitizer, which is not on PATH"):
        sanitized("numpy", Sanitizer.RACECHECK, tmp_path)
    with pytest.raises(UnavailableSanitizerError, match="CONVCHECK_ASAN"):
        sanitized("numpy", Sanitizer.ADDRESS, tmp_path)
    monkeypatch.setenv("CONVCHECK_ASAN", str(tmp_path / "absent.so"))
    with pytest.raises(UnavailableSanitizerError, match=r"absent\.so is no file"):
        sanitized("numpy", Sanitizer.ADDRESS, tmp_path)


def test_asan_is_the_one_that_is_named_and_its_settings_come_last(monkeypatch, tmp_path):
    monkeypatch.setenv("CONVCHECK_ASAN", sys.executable)
    monkeypatch.setenv("ASAN_OPTIONS", "verbosity=1")
    monkeypatch.setenv("LD_PRELOAD", "other.so")
    environment = sanitized("numpy", Sanitizer.ADDRESS, tmp_path).environment
    assert environment["LD_PRELOAD"] == f"{sys.executable}:other.so"
    assert environment["ASAN_OPTIONS"].startswith("verbosity=1:")
    assert environment["ASAN_OPTIONS"].endswith(f":log_path={tmp_path / 'log'}")
