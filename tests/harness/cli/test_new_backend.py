import os
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from convcheck import check
from convcheck.cli.new_backend import FILES, NewBackendError, write_project


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("new") / "fresh-kernel"
    write_project("fresh-kernel", folder)
    return folder


def test_a_project_has_a_kernel_tests_an_entry_point_and_ci(tmp_path):
    project = tmp_path / "clean-kernel"
    write_project("clean-kernel", project)
    written = {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()}
    assert written == {path.format(package="clean_kernel") for path in FILES}
    about = tomllib.loads((project / "pyproject.toml").read_text())
    (backend,) = about["project"]["entry-points"]["convcheck.backends"].items()
    assert backend == ("clean-kernel", "clean_kernel.kernel:conv2d")
    assert "convcheck run --github" in (project / ".github/workflows/conformance.yml").read_text()


def test_its_entry_point_names_the_kernel(project, monkeypatch):
    monkeypatch.syspath_prepend(project / "src")
    assert callable(EntryPoint("fresh-kernel", "fresh_kernel.kernel:conv2d", "convcheck.backends").load())


def test_its_kernel_conforms(project):
    check(f"{project / 'src/fresh_kernel/kernel.py'}:conv2d", examples=60, reach="quick").raise_for_findings()


def ran(project, *command):
    # as in a shell there, with no network: convcheck is where this one is
    done = subprocess.run(
        command, cwd=project, capture_output=True, text=True, check=False, env={**os.environ, "CI": ""}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_tests_pass(project):
    assert "2 passed" in ran(
        project, sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"
    )


def test_its_settings_are_those_of_the_commands(project):
    said = ran(project, sys.executable, "-m", "convcheck", "replay", "v1,x=1x1x4x4,out=1,k=1")
    assert said.startswith("src/fresh_kernel/kernel.py:conv2d\n")


def test_nothing_is_overwritten(project, tmp_path):
    before = (project / "README.md").stat().st_mtime_ns
    with pytest.raises(NewBackendError, match="exists, and nothing is overwritten"):
        write_project("fresh-kernel", project)
    assert (project / "README.md").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("My Kernel", "is not made of small letters"),
        ("../out", "is not made of small letters"),
        ("", "is not made of small letters"),
        ("class", "is a word of Python"),
        ("json", "is a word of Python, or a module"),
        ("numpy", "is an installed backend"),
        ("convcheck", "would stand in the way"),
    ],
)
def test_a_name_that_would_be_in_the_way_is_refused(tmp_path, name, why):
    with pytest.raises(NewBackendError, match=why):
        write_project(name, Path(tmp_path, "new"))
    assert not list(tmp_path.iterdir())
