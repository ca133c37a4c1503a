"""The suite in a project of somebody's: its settings hold, what is typed beats them, and its own tests are left alone."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from convcheck.report.failure_text import failure_text
from full_record import COMPLETE

TESTS = Path(__file__).parents[2]
PLUGINS, ROOT = TESTS / "plugins", TESTS.parent
RIGHT = f"{PLUGINS / 'my_kernel.py'}:my_conv"

SETTINGS = """
[tool.convcheck]
backends = ["{backend}"]
dtypes = ["float32"]
examples = 5
reach = "quick"
report-dir = "out"

[tool.pytest.ini_options]
addopts = ["--strict-markers", "--strict-config"]
filterwarnings = ["error"]
"""

CONFTEST = """
import pytest

@pytest.fixture(autouse=True)
def of_the_project(request):
    assert not request.node.nodeid.startswith("nowhere")
"""


JUDGED = f"""
import sys
import pytest
sys.path.insert(0, {str(TESTS)!r})
from full_record import RECORD

@pytest.fixture(scope="session")
def conv_judgements(request):
    judgements = request.config.pluginmanager.get_plugin("convcheck-reporter").judgements
    judgements.unsent.append(RECORD)
    judgements.record = lambda backend, dtype: RECORD
    return judgements
"""
"""The suite on a backend that was judged already: what comes of that is in the record of the tests of reports."""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_mine.py").write_text("def test_mine():\n    pass\n")

    def write(backend):
        (tmp_path / "pyproject.toml").write_text(SETTINGS.format(backend=backend))
        return tmp_path

    return write


def pytest_in(folder, *options, **variables):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **variables)


def test_a_failure_reads_as_the_finding_on_the_command_line_and_reaches_junit(project):
    folder = project("numpy")
    (folder / "conftest.py").write_text(JUDGED)
    done = pytest_in(folder, "--pyargs", "convcheck.suite", "-p", "no:xdist", "--junitxml=j.xml", "--conv-github")
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"\n{failure_text(COMPLETE)}\n" in done.stdout
    assert "my_kernel.py,line=6,title=computes%3A C2D-SHAPE-1 of " in done.stdout
    (report,) = (folder / "out").iterdir()
    assert "DOES NOT CONFORM" in (report / "summary.md").read_text()
    (failed,) = [case for case in ET.parse(folder / "j.xml").iter("testcase") if "C2D-SHAPE-1]" in case.get("name")]
    properties = {(each.get("name"), each.get("value")) for each in failed.iter("property")}
    assert ("convcheck.rule", "groups > 1 and bias") in properties
    assert ("convcheck.lookalike", "bias-lost") in properties
    assert float(failed.get("time")) >= 0


def test_what_is_typed_beats_the_settings(project):
    folder = project("nowhere.py:conv")
    done = pytest_in(
        folder, "--pyargs", "convcheck.suite", "-p", "no:xdist", "--conv-backend", RIGHT, "--conv-report-dir=here"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (folder / "out").exists()
    assert (folder / "here").is_dir()


def test_other_tests_need_no_backend_of_the_settings(project):
    done = pytest_in(project("nowhere.py:conv"), "test_mine.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (project("nowhere.py:conv") / "out").exists()


def test_a_backend_of_the_settings_that_cannot_be_loaded_fails_its_tests_with_the_reason(project):
    done = pytest_in(project("nowhere.py:conv"), "--pyargs", "convcheck.suite", "-p", "no:xdist")
    assert done.returncode == 1
    assert "nowhere.py:conv: " in done.stdout
    assert "nowhere.py does not exist" in done.stdout
    assert "Traceback" not in done.stdout


def test_settings_that_nobody_understands_are_a_usage_error(project):
    folder = project("numpy")
    with (folder / "pyproject.toml").open("a") as file:
        file.write("[tool.convcheck.more]\n")
    done = pytest_in(folder, "test_mine.py")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "[tool.convcheck] has an unknown key 'more'" in done.stderr


def test_in_the_clone_a_backend_that_is_named_is_judged_alone():
    done = pytest_in(ROOT, "--pyargs", "convcheck.suite", "--conv-backend", RIGHT, "--collect-only", "-p", "no:xdist")
    backends = {line.partition("[")[2].partition("|")[0] for line in done.stdout.splitlines() if "test_clause[" in line}
    assert backends == {"my_kernel.py:my_conv"}
