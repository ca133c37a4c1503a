"""The backend "convcheck" in tests of anybody's, by the entry point that an installed convcheck has."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

TEST = """
import sys
from hypothesis import given, settings
from hypothesis import strategies as st
assert not {"numpy", "convcheck.strategies"} & set(sys.modules)

@settings(backend="convcheck", database=None, max_examples=50)
@given(st.tuples(st.integers(), st.floats(), st.text(), st.lists(st.booleans()), st.binary(), st.sampled_from("abc")))
def test(values):
    print(ascii(values))

test()
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment in which convcheck is installed, entry points and all."""
    site = tmp_path_factory.mktemp("site")
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    folder = site / "convcheck_plugin-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: convcheck-plugin\nVersion: 1\n")
    points = "\n".join(f"{name} = {value}" for name, value in project["entry-points"]["hypothesis"].items())
    (folder / "entry_points.txt").write_text(f"[hypothesis]\n{points}\n")
    roots = [str(PROJECT / root) for root in ("reference", "harness", "backends")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *roots])}


def run(folder, environment, code):
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_test_of_ones_own_gets_the_same_examples_in_any_process(installed, tmp_path):
    (tmp_path / "local.py").write_text("NUMBERS = (101, 257, 4_000_000)\nTEXT = 'a local module'\n")
    first = run(tmp_path, installed, TEST)
    assert first == run(tmp_path, installed, f"import local, decimal, numpy\n{TEST.replace('assert', 'assert 1 or')}")
    assert len(set(first.splitlines())) > 40


def test_importing_hypothesis_loads_nothing_heavy(installed, tmp_path):
    loaded = "import sys, hypothesis; print(*(m for m in sys.modules if m.startswith('convcheck') or m == 'numpy'))"
    assert set(run(tmp_path, installed, loaded).split()) <= {
        "convcheck",
        "convcheck.hypothesis_plugin",
        "convcheck_reference",
        "convcheck_reference.lazy",
    }
