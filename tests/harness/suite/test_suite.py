"""The shipped suite, as an outsider runs it."""

import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"
ISOLATED = ("-c", "/dev/null", "--rootdir", ".", "-p", "no:cacheprovider", "-p", "no:randomly", "-q")


def suite(folder, *options):
    command = [sys.executable, "-m", "pytest", *ISOLATED, "--pyargs", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


KERNEL = f"""
import sys
sys.path.insert(0, {str(PLUGINS)!r})
from my_kernel import my_conv

def accepts_anything(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    def at_least(least, value):
        return tuple(max(least, v) for v in (value if isinstance(value, (tuple, list)) else (value, value)))

    padding = padding if isinstance(padding, str) else at_least(0, padding)
    return my_conv(x, weight, bias, at_least(1, stride), padding, at_least(1, dilation), max(1, groups))

def refuses_groups(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if groups > 1:
        raise ValueError("no groups")
    return my_conv(x, weight, bias, stride, padding, dilation, groups)
"""
"""In NumPy, which starts sooner than torch."""

SMALL = ("--conv-dtype", "float32", "--conv-examples", "30", "--conv-reach", "quick")


@pytest.fixture
def kernel(tmp_path):
    (tmp_path / "kernel.py").write_text(KERNEL)
    return tmp_path / "kernel.py"


@pytest.mark.parametrize("workers", [("-p", "no:xdist"), ("-n", "2")], ids=["one process", "two workers"])
def test_failures_read_like_a_specification_and_one_report_is_written(tmp_path, kernel, workers):
    done = suite(tmp_path, "convcheck.suite", "--conv-backend", f"{kernel}:refuses_groups", *SMALL, *workers)
    assert done.returncode == 1
    assert "float32|C2D-GROUPS-" in done.stdout
    assert "convcheck replay" in done.stdout
    (report,) = (tmp_path / "reports").iterdir()
    assert "DOES NOT CONFORM" in (report / "summary.md").read_text()


def test_what_is_wrong_beyond_the_level_is_expected_to_fail(tmp_path, kernel):
    spec = f"{kernel}:accepts_anything"
    options = ("--conv-backend", spec, *SMALL, "-p", "no:xdist", "-rx")
    done = suite(tmp_path, "convcheck.suite", *options, "--conv-level", "precision")
    assert done.returncode == 0, done.stdout
    assert "beyond level precision: illegal arguments are accepted" in done.stdout
    done = suite(tmp_path, "convcheck.suite", *options, "--conv-level", "refuses")
    assert done.returncode == 1
    assert "refuses: illegal arguments are accepted" in done.stdout
    assert "  what: illegal, but a result came back" in done.stdout


def test_a_level_that_there_is_not_is_a_usage_error(tmp_path):
    done = suite(tmp_path, "convcheck.suite", "--conv-level", "perfect", "-p", "no:xdist")
    assert done.returncode == 4
    assert "computes" in done.stderr


COARSE = f"""
import sys
import numpy as np
from convcheck import capabilities
sys.path.insert(0, {str(PLUGINS)!r})
from my_kernel import my_conv

@capabilities(dtypes=("float32",), padding_modes=("zeros",))
def conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    out = my_conv(x, weight, bias, stride, padding, dilation, groups)
    short = (out.view(np.int32) & ~0x1FFF).view(np.float32)
    return np.where(np.isfinite(out) & (out != np.round(out)), short, out)
"""

FEW = """
from hypothesis import settings
settings.register_profile("few", settings.get_profile("default"), max_examples=25)  # that of CI takes no seed
settings.load_profile("few")
"""


@pytest.mark.parametrize(("level", "code"), [("computes", 0), ("Precision", 1)])
def test_exploration_raises_nothing_beyond_the_level(tmp_path, level, code):
    (tmp_path / "coarse.py").write_text(COARSE)
    (tmp_path / "few.py").write_text(FEW)
    options = ("--conv-backend", "coarse.py:conv", "--conv-explore", "--conv-level", level)
    hypothesis = ("-p", "few", "--hypothesis-seed=0", "-p", "no:xdist")
    done = suite(tmp_path, "convcheck.suite.test_exploration", *options, *hypothesis)
    assert done.returncode == code, done.stdout


def test_a_backend_that_cannot_be_loaded_is_a_usage_error(tmp_path):
    done = suite(tmp_path, "convcheck.suite", "--conv-backend", "none.py:conv", "-p", "no:xdist")
    assert done.returncode == 4
    assert "does not exist" in done.stderr


def test_without_a_backend_nothing_passes(tmp_path):
    done = suite(tmp_path, "convcheck.suite")
    assert done.returncode == pytest.ExitCode.INTERRUPTED
    assert "no backend is named: pass --conv-backend SPEC" in done.stdout
    assert "skipped" not in done.stdout


def test_what_cannot_be_is_refused_before_anything_runs(tmp_path):
    done = suite(tmp_path, "convcheck.suite", "--conv-backend", "numpy", "--conv-known-failures", "/nowhere\x1b[31m")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: --conv-known-failures /nowhere�[31m: " in done.stderr
    assert "\x1b" not in done.stderr
