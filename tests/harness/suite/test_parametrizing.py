import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import convcheck

PLUGINS = Path(__file__).parents[2] / "plugins"

MINE = """
import convcheck
from my_kernel import my_conv
from convcheck import Capabilities

@convcheck.capabilities(validates=False, layouts=("contiguous",))
def wrong(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return 2 * my_conv(x, weight, bias, stride, padding, dilation, groups)

@convcheck.capabilities(arrays="numpy", dtypes=("float32", "float64"))
def right(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return my_conv(x, weight, bias, stride, padding, dilation, groups)

class Absent(convcheck.Backend):
    name, capabilities = "absent", Capabilities()
    def __init__(self):
        raise convcheck.UnavailableError("no such device")

@convcheck.parametrize_with_checks([{backends}], examples=3, reach="quick", {options})
def test_conforms(backend, check):
    check(backend)
"""


def asked(folder, backends, *options, given="", status=0):
    shutil.copy(PLUGINS / "my_kernel.py", folder)
    (folder / "test_mine.py").write_text(MINE.format(backends=backends, options=given))
    command = [sys.executable, "-m", "pytest", "-c", "/dev/null", "--rootdir=.", "-p", "no:cacheprovider", "-q", "-rs"]
    done = subprocess.run(
        [*command, "test_mine.py", *options], cwd=folder, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def test_there_is_a_test_for_each_backend_declared_dtype_and_clause(tmp_path):
    found = asked(tmp_path, "wrong, right, 'numpy'", "--collect-only")
    for name in ("wrong|float32", "right|float32", "right|float64", "numpy|bfloat16"):
        assert f"test_mine.py::test_conforms[{name}|C2D-SHAPE-1]" in found
        assert f"test_mine.py::test_conforms[{name}|C2D-GROUPS-1]" in found
    assert "wrong|float64" not in found


def test_a_wrong_function_fails_at_its_clause_and_the_finding_is_repeated_by_its_line(tmp_path):
    found = asked(tmp_path, "wrong", "-k", "ARITH-1", given="dtypes=['float32'], diagnosis_seconds=1", status=1)
    assert "test_conforms[wrong|float32|C2D-ARITH-1]" in found
    assert "output differs from the exact integer result" in found
    token = next(word for word in found.split() if word.startswith("v1,"))
    command = [sys.executable, "-m", "convcheck", "replay", token, "-b", "test_mine.py:wrong"]
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.returncode == 1, again.stdout + again.stderr
    assert "exact" in again.stdout


def test_what_is_absent_is_skipped_and_undeclared_dtypes_are(tmp_path):
    found = asked(tmp_path, "Absent, right", "-k", "SHAPE-1", given="dtypes=['float16']")
    assert "is unavailable: no such device" in found
    assert "float16 is not declared" in found
    assert "2 skipped" in found


def test_a_backend_that_cannot_be_loaded_is_an_error_of_the_file(tmp_path):
    found = asked(tmp_path, "'no-such-backend'", status=2)
    assert "no backend is named 'no-such-backend'" in found


@pytest.mark.parametrize(
    ("backends", "message"), [("numpy", "expected a list"), (print, "expected a list"), ([], "at least one backend")]
)
def test_what_is_no_list_of_backends_is_refused(backends, message):
    with pytest.raises(convcheck.CheckError, match=message):
        convcheck.parametrize_with_checks(backends)


def test_the_worked_example_passes():
    command = [sys.executable, "-m", "pytest", "-c", "/dev/null", "--rootdir=.", "-p", "no:cacheprovider", "-q"]
    done = subprocess.run(
        [*command, "my_own_tests.py", "-k", "is_exact or SHAPE-1"], cwd=PLUGINS, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
