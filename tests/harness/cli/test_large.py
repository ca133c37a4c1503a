"""Whatever a candidate does in its process, the command has a verdict; a case of a few bytes stands for a large one."""

import sys

import pytest

from convcheck import Status, cli
from convcheck.campaign.large import LargeCase
from convcheck.cli import large
from convcheck.model.token import read

CASE = LargeCase(read("v1,x=1x2x4x4,out=3,k=2"), "nothing")
HEAD = """
import os
import numpy as np
from convcheck_reference import Conv2dParams, conv2d
def conv(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    out = conv2d(x, weight, bias, Conv2dParams(x.shape[1], *weight.shape[:1], weight.shape[2:]), dtype=x.dtype)
"""


def spec(folder, body):
    (folder / "kernel.py").write_text(f"{HEAD}    {body}\n")
    return f"{folder / 'kernel.py'}:conv"


@pytest.fixture
def one_case(monkeypatch):
    monkeypatch.setattr(large, "large_cases", lambda memory, dtype: (CASE,))


def convcheck(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["convcheck", "large", *arguments])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    return exit_.value.code


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("return out", Status.PASS, ""),
        ("return out + 1", Status.FAIL, "in a layer with nothing"),
        ("return out[:, :1]", Status.FAIL, "expected float32 (1, 3, 3, 3)"),
        ("raise MemoryError('no room')", Status.WRONGLY_REFUSED, "MemoryError('no room')"),
        ("os._exit(0)", Status.CRASHED, "process ended"),
    ],
)
def test_every_end_of_a_process_is_a_verdict(tmp_path, body, status, reason):
    verdict = large._judged(spec(tmp_path, body), CASE)
    assert verdict.status is status
    assert reason in verdict.reason


def test_a_finding_fails_the_command_and_names_its_case(one_case, monkeypatch, tmp_path, capsys):
    assert convcheck(monkeypatch, "--backend", spec(tmp_path, "return out + 1")) == 1
    printed = capsys.readouterr().out
    assert "sampled elements are wrong" in printed
    assert CASE.case.token in printed


def test_what_passes_conforms(one_case, monkeypatch, tmp_path):
    assert convcheck(monkeypatch, "--backend", spec(tmp_path, "return out")) == 0


def test_a_backend_that_cannot_be_loaded_is_the_users_error(one_case, monkeypatch, tmp_path, capsys):
    assert convcheck(monkeypatch, "--backend", spec(tmp_path, "return out").replace(":conv", ":missing")) == 2
    assert "missing" in capsys.readouterr().err
