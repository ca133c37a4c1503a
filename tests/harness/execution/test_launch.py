import os
import sys

import pytest

from convcheck.execution.launch import trusted, untrusted
from convcheck.tensors.poison import ALLOCATOR_SETTINGS

LAUNCHERS = pytest.mark.parametrize("launcher", [trusted, untrusted])


@LAUNCHERS
def test_a_worker_has_one_thread_unless_the_user_says_otherwise(launcher, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    environment = launcher("numpy").environment
    assert (environment["OMP_NUM_THREADS"], environment["MKL_NUM_THREADS"]) == ("1", "3")


@LAUNCHERS
def test_new_memory_is_poisoned_beside_the_users_own_settings(launcher, monkeypatch):
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    assert launcher("numpy").environment["GLIBC_TUNABLES"] == ALLOCATOR_SETTINGS
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.check=3")
    assert trusted("numpy").environment["GLIBC_TUNABLES"] == f"{ALLOCATOR_SETTINGS}:glibc.malloc.check=3"


def test_who_is_trusted_works_in_the_users_session(monkeypatch):
    monkeypatch.setenv("MY_LICENCE", "here")
    launch = trusted("my_kernel.py:conv")
    assert launch.environment["MY_LICENCE"] == "here"
    assert not launch.elsewhere
    assert launch.spec == "my_kernel.py:conv"
    assert set(filter(None, sys.path)) <= set(launch.environment["PYTHONPATH"].split(os.pathsep))


def test_nobody_vouches_for_who_is_not(monkeypatch):
    monkeypatch.setenv("MY_SECRET", "here")
    monkeypatch.setenv("PYTHONPATH", "here")
    launch = untrusted("numpy")
    assert {"MY_SECRET", "PYTHONPATH"}.isdisjoint(launch.environment)
    assert "PATH" in launch.environment
    assert "-I" in launch.arguments
    assert launch.elsewhere


def test_a_file_is_found_from_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert untrusted("kernel.py:conv").spec == f"{tmp_path.resolve() / 'kernel.py'}:conv"
    assert untrusted("~/kernel.py:conv").spec == f"{tmp_path.resolve() / 'home' / 'kernel.py'}:conv"
    assert untrusted("package.module:conv").spec == "package.module:conv"


def test_reports_are_hidden_from_who_is_not_trusted_and_his_worker_is_watched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    launch = untrusted("numpy")
    assert launch.watched
    assert str(tmp_path.resolve() / "reports") in launch.arguments[-1]
    assert str(tmp_path / "elsewhere") in untrusted("numpy", hidden=(tmp_path / "elsewhere",)).arguments[-1]
    assert not trusted("numpy").watched
