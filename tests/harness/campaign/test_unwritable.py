"""A folder that cannot be written to, where Hypothesis would keep examples and constants, stops no run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def unwritable(tmp_path):
    if os.geteuid() == 0:
        return "/proc"  # nothing keeps root from writing to a folder of its own
    folder = tmp_path / "unwritable"
    folder.mkdir(mode=0o555)
    return folder


@pytest.mark.skipif(not hasattr(os, "geteuid") or not Path("/proc").is_dir(), reason="needs a folder nobody writes to")
def test_a_run_works_and_reports(tmp_path, unwritable):
    (tmp_path / "wrong.py").write_text(
        "def conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):\n    raise ValueError('refused')\n"
    )
    code = "from convcheck.cli import main; main()"
    options = (
        "--backend",
        f"{tmp_path / 'wrong.py'}:conv",
        "--examples",
        "5",
        "--reach",
        "quick",
        "--diagnosis-calls",
        "50",
        "--report-dir",
        str(tmp_path / "reports"),
    )
    command = [sys.executable, "-c", code, "run", *options]
    done = subprocess.run(command, cwd=unwritable, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "DOES NOT CONFORM" in done.stdout
    assert "Traceback" not in done.stderr
