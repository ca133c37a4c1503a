"""The contracts of `[tool.importlinter]` in pyproject.toml hold, and break where they should."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
ROOTS = ("reference", "harness", "backends")
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"


def lint(project):
    """In a process of its own: import-linter looks for the packages on the path of its process."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(project / root) for root in ROOTS), "COLUMNS": "200"}
    command = [sys.executable, "-c", LINT]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The sources and the contracts, to be spoilt."""
    project = tmp_path_factory.mktemp("project")
    shutil.copy(PROJECT / "pyproject.toml", project)
    for root in ROOTS:
        shutil.copytree(PROJECT / root, project / root, ignore=shutil.ignore_patterns("__pycache__"))
    return project


def test_imports_point_one_way():
    done = lint(PROJECT)
    if done.returncode:
        pytest.fail(f"an import crosses a contract of pyproject.toml:\n{done.stdout}{done.stderr}", pytrace=False)


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("reference/convcheck_reference", "import convcheck", "backends stand on the harness"),
        ("harness/convcheck", "import convcheck_backends", "backends stand on the harness"),
        ("harness/convcheck/model", "import convcheck.plugin.backend", "the layers of the harness"),
        ("harness/convcheck/oracles", "from convcheck import judging", "the layers of the harness"),
        ("harness/convcheck/judging", "def f():\n    import torch", "torch is for its backends"),
        ("reference/convcheck_reference", "from torch.nn import functional", "torch is for its backends"),
        ("backends/convcheck_backends", "from convcheck import plugin", "public names only"),
        ("backends/convcheck_backends", "from convcheck.model.profiles import TF32_INPUTS", "public names only"),
        ("backends/convcheck_backends", "from convcheck_reference.padding import pad", "public names only"),
    ],
)
def test_an_import_the_wrong_way_is_caught(copy, module, line, contract):
    spoilt = copy / module / "spoilt.py"
    spoilt.write_text(f"{line}\n")
    try:
        lines = lint(copy).stdout.splitlines()
    finally:
        spoilt.unlink()
    assert any(contract in line and "BROKEN" in line for line in lines), "\n".join(lines)
    assert any(".spoilt -> " in line for line in lines)
