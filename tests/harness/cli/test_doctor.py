import os
import sys

import pytest

from convcheck import cli


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
