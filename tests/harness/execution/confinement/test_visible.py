"""What a candidate may see is its own, and nothing of what is hidden in the midst of it."""

import os
from pathlib import Path

import pytest

from convcheck.execution.confinement.visible import by_others, executable, links, readable, without


@pytest.fixture
def folder(tmp_path):
    for name in (
        "kernel.py",
        "lib/a.py",
        "site/convcheck/judge.py",
        "site/convcheck_reference/r.py",
        "site/numpy/n.py",
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    return Path(os.path.realpath(tmp_path))


def seen(path, visible):
    return any(path == each or each in path.parents for each in visible)


def test_a_folder_without_anything_hidden_is_itself(folder):
    assert list(without(folder / "lib", {folder / "site"})) == [folder / "lib"]


def test_around_what_is_hidden_its_neighbours_are_left(folder):
    assert set(without(folder, {folder / "site" / "convcheck"})) == {
        folder / "kernel.py",
        folder / "lib",
        folder / "site" / "convcheck_reference",
        folder / "site" / "numpy",
    }
    assert not list(without(folder / "site" / "convcheck", {folder / "site"}))


def test_the_judge_is_hidden_wherever_modules_are_looked_for(folder):
    visible = readable(f"{folder / 'kernel.py'}:conv", (str(folder / "site"),), ())
    assert seen(folder / "kernel.py", visible)
    assert seen(folder / "site" / "numpy" / "n.py", visible)
    assert not seen(folder / "site" / "convcheck" / "judge.py", visible)
    assert not seen(folder / "site" / "convcheck_reference" / "r.py", visible)


def test_a_folder_of_reports_is_hidden_before_it_is_there(folder):
    visible = readable(f"{folder / 'kernel.py'}:conv", (), (folder / "reports",))
    (folder / "reports").mkdir()
    assert seen(folder / "kernel.py", visible)
    assert not seen(folder / "reports" / "summary.txt", visible)


def test_links_on_the_way_are_known_with_those_that_they_lead_to(folder):
    (folder / "one").symlink_to(folder / "two")
    (folder / "two").symlink_to("lib")
    assert {folder / "one", folder / "two"} <= set(links((str(folder / "one" / "a.py"),)))


def test_a_folder_that_others_cannot_enter_is_closed_to_them(folder):
    (folder / "lib").chmod(0o700)
    assert not by_others(folder / "lib", from_root=False)
    assert not by_others(folder / "lib" / "a.py", from_root=True)
    (folder / "lib" / "a.py").chmod(0o644)
    assert by_others(folder / "lib" / "a.py", from_root=False)


def test_no_interpreter_of_python_may_be_started(folder):
    programs = executable(readable(f"{folder / 'kernel.py'}:conv", (), ()))
    found = [Path(name, "python3").resolve() for name in os.get_exec_path() if Path(name, "python3").exists()]
    assert found
    assert not any(seen(path, programs) for path in found)
    assert not seen(folder / "kernel.py", programs)
