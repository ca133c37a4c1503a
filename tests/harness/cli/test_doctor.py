import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from convcheck import cli
from convcheck.cli import doctor
from convcheck.model.system import this_system

LISTED = {
    "backends": [
        {"name": "numpy", "reason": "", "versions": {"numpy": "2.5"}},
        {"name": "plain", "reason": "", "versions": {}},
        {"name": "torch-mps", "reason": "this torch has no mps", "versions": {}},
    ]
}


@pytest.fixture(autouse=True)
def listed(monkeypatch):
    """What `convcheck list --load --json` says, which imports every engine and has tests of its own."""
    answer, said = doctor._answer, [lambda: json.dumps(LISTED)]
    monkeypatch.setattr(
        doctor, "_answer", lambda command, *a, **k: said[0]() if "list" in command else answer(command, *a, **k)
    )
    return said


def asked(monkeypatch, capsys, *options):
    """The exit status, what stands in the tables, and what follows them."""
    monkeypatch.setattr(sys, "argv", ["convcheck", "doctor", *options])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    *tables, advice = capsys.readouterr().out.rstrip("\n").split("\n\n")
    return exit_.value.code, "\n".join(tables), advice


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Puts a program in the place of the driver's."""

    def answers(script):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.environ["PATH"])

    return answers


def test_it_says_what_there_is(monkeypatch, capsys):
    code, tables, _ = asked(monkeypatch, capsys)
    assert code == 0
    for what in ("convcheck", "Python", "cores", "numpy", "ml_dtypes", "torch", "compute-sanitizer"):
        assert f"\n{what}  " in tables
    if sys.platform == "linux":
        assert "in force in workers" in tables


def test_what_this_system_lacks_is_said_with_what_is_lost_by_it(monkeypatch, capsys):
    lacking = replace(this_system(), guards=False, confinement=False)
    monkeypatch.setattr("convcheck.cli.doctor.this_system", lambda: lacking)
    _, tables, _ = asked(monkeypatch, capsys)
    assert "without guards" in tables
    assert "an access outside of a tensor is no crash" in tables
    assert "without confinement" in tables
    assert ("without forks" in tables) is not lacking.forks


def test_torch_is_not_missed(monkeypatch, capsys):
    found = {"numpy": ["numpy"], "ml_dtypes": ["ml_dtypes"], "hypothesis": ["hypothesis"]}
    monkeypatch.setattr("convcheck.cli.doctor.packages_distributions", lambda: found)
    code, tables, advice = asked(monkeypatch, capsys)
    assert code == 0
    assert "absent: its own backends, and kernels on its tensors, are unavailable" in tables
    assert "torch" not in advice


def test_cards_come_with_their_driver_and_a_torch_that_cannot_use_them_is_said(monkeypatch, capsys, driver):
    driver("echo 'NVIDIA H100 80GB HBM3, 580.95.05, 81559 MiB'; echo 'NVIDIA L4, 580.95.05, 23034 MiB'")
    monkeypatch.setattr("convcheck.cli.doctor.version", lambda name: "2.13.0+cpu" if name == "torch" else "1")
    code, tables, advice = asked(monkeypatch, capsys)
    assert code == 0
    assert "NVIDIA card 1 (name, driver, memory)  NVIDIA L4, 580.95.05, 23034 MiB" in tables
    assert "torch and NVIDIA: for backends on CUDA install a torch that is built for it" in advice


def test_a_driver_that_fails_is_a_problem_and_no_failure(monkeypatch, capsys, driver):
    driver("echo 'NVIDIA-SMI has failed'; exit 9")
    code, tables, advice = asked(monkeypatch, capsys)
    assert code == 0
    assert "nvidia-smi fails: NVIDIA-SMI has failed" in tables
    assert "NVIDIA: mend the driver" in advice


def test_settings_that_change_results_are_named(monkeypatch, capsys):
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    _, _, advice = asked(monkeypatch, capsys)
    assert "NVIDIA_TF32_OVERRIDE: unset it" in advice
    assert "CUDA_VISIBLE_DEVICES: it hides every card" in advice


def test_a_backend_is_loaded_on_request(monkeypatch, capsys):
    code, tables, _ = asked(monkeypatch, capsys, "--backend", "numpy")
    assert code == 0
    assert "backend numpy  numpy, ready after" in tables
    assert "gradients, partial_gradients, double_backward, module" in tables


def test_a_backend_that_cannot_be_loaded_decides_the_exit_status(monkeypatch, capsys, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("import numpy.nothing_of_that_name")
    code, tables, advice = asked(monkeypatch, capsys, "-b", f"{broken}:conv", "-b", "numpy")
    assert code == 2
    assert "BackendImportError" in tables
    assert "ready after" in tables
    assert "cannot be imported: ModuleNotFoundError: No module named 'numpy.nothing_of_that_name'" in advice


def test_it_says_which_installed_backends_load_with_what_and_why_others_do_not(monkeypatch, capsys):
    code, tables, _ = asked(monkeypatch, capsys)
    assert code == 0
    lines = {line.split("  ")[0]: line.split("  ")[-1].strip() for line in tables.splitlines()}
    assert lines["backend numpy"] == "loads: numpy 2.5"
    assert lines["backend plain"] == "loads"
    assert lines["backend torch-mps"] == "unavailable: this torch has no mps"


def test_an_engine_that_ends_the_process_as_it_loads_is_said(monkeypatch, capsys, listed):
    def ended():
        raise subprocess.CalledProcessError(-11, "convcheck list")

    listed[0] = ended
    code, tables, advice = asked(monkeypatch, capsys)
    assert code == 0
    assert "cannot be loaded together: " in tables
    assert "SIGSEGV" in tables
    assert "installed backends: name each: convcheck doctor -b NAME" in advice
