import subprocess
import sys

import pytest

from convcheck.plugin.backend import UnavailableError
from convcheck.plugin.registry import load
from convcheck.plugin.registry_errors import BackendImportError

CONV = """
def conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return engine.conv2d(x, weight)
"""


@pytest.mark.parametrize(
    ("imports", "said"),
    [
        ("import no_such_engine as engine", "needs no_such_engine, which is not installed: pip install no_such_engine"),
        ("import no_such_engine.nn.functional as engine", "pip install no_such_engine"),
        ("from no_such_engine import nn as engine", "pip install no_such_engine"),
    ],
)
def test_an_engine_that_is_not_installed_is_said_in_one_line(tmp_path, imports, said):
    (tmp_path / "kernel.py").write_text(imports + CONV)
    with pytest.raises(UnavailableError) as caught:
        load(f"{tmp_path / 'kernel.py'}:conv")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_pip_has_a_name_of_its_own_for_some(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    (tmp_path / "kernel.py").write_text("import cv2 as engine" + CONV)
    with pytest.raises(UnavailableError, match="pip install opencv-python"):
        load(f"{tmp_path / 'kernel.py'}:conv")


def test_an_engine_that_the_constructor_imports(tmp_path):
    (tmp_path / "kernel.py").write_text(
        "import convcheck\n"
        "class Mine(convcheck.Backend):\n"
        "    name, capabilities = 'mine', convcheck.Capabilities()\n"
        "    def __init__(self):\n"
        "        import no_such_engine\n"
    )
    with pytest.raises(UnavailableError, match="needs no_such_engine"):
        load(f"{tmp_path / 'kernel.py'}:Mine")


@pytest.mark.parametrize("spec", ["no_such_package.kernels:conv", "no_such_package:conv"])
def test_a_misspelled_module_is_no_missing_engine(spec):
    with pytest.raises(BackendImportError, match="no_such_package"):
        load(spec)


@pytest.mark.parametrize("imports", ["import numpy.no_such_part as engine", "raise ImportError('too old')"])
def test_what_is_installed_and_does_not_import_is_an_error(tmp_path, imports):
    (tmp_path / "kernel.py").write_text(imports + CONV)
    with pytest.raises(BackendImportError):
        load(f"{tmp_path / 'kernel.py'}:conv")


@pytest.mark.parametrize(("command", "status"), [("run", 1), ("doctor", 2)])
def test_the_command_line_says_it_without_a_traceback(tmp_path, command, status):
    (tmp_path / "kernel.py").write_text("import no_such_engine as engine" + CONV)
    options = ["--examples", "5", "--report-dir", str(tmp_path)] if command == "run" else []
    said = subprocess.run(
        [sys.executable, "-m", "convcheck", command, "--backend", "kernel.py:conv", *options],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = " ".join((said.stdout + said.stderr).split())
    assert said.returncode == status
    assert "needs no_such_engine, which is not installed: pip install no_such_engine" in told
    assert "Traceback" not in told
    assert 'kernel.py", line' not in told
