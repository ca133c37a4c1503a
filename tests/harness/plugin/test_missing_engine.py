import subprocess
import sys

import pytest

from convcheck.plugin.backend import UnavailableError
from convcheck.plugin.missing_engine import absence, requirements_of
from convcheck.plugin.registry import load
from convcheck.plugin.registry_errors import BackendImportError

CONV = """
def conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return engine.conv2d(x, weight)
"""


@pytest.mark.parametrize(
    ("imports", "said"),
    [
        ("import mxnet as engine", "needs mxnet, which is not installed: pip install mxnet"),
        ("import mxnet.ndarray.op as engine", "pip install mxnet"),
        ("from mxnet import ndarray as engine", "pip install mxnet"),
        ("import cv2 as engine", "needs cv2, which is not installed: pip install opencv-python-headless"),
    ],
)
def test_an_engine_that_is_not_installed_is_said_in_one_line(tmp_path, monkeypatch, imports, said):
    monkeypatch.setitem(sys.modules, "cv2", None)
    (tmp_path / "kernel.py").write_text(imports + CONV)
    with pytest.raises(UnavailableError) as caught:
        load(f"{tmp_path / 'kernel.py'}:conv")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file", ["kernel.py", "sibling.py"])
def test_a_misspelled_module_of_ones_own_is_an_error_and_not_an_absent_engine(tmp_path, file):
    (tmp_path / "my_helpers.py").write_text("")
    (tmp_path / "kernel.py").write_text("import sibling as engine" + CONV)
    (tmp_path / file).write_text("import my_helprs as engine" + CONV)
    with pytest.raises(BackendImportError) as caught:
        load(f"{tmp_path / 'kernel.py'}:conv")
    said = str(caught.value)
    assert "No module named 'my_helprs'" in said
    assert f'{file}", line 1' in said
    assert "did you mean 'my_helpers'?" in said
    assert "raise convcheck.UnavailableError" in said


def test_an_engine_of_ones_own_may_be_declared_absent(tmp_path):
    (tmp_path / "kernel.py").write_text(
        "import convcheck\n"
        "try:\n"
        "    import no_such_engine as engine\n"
        "except ModuleNotFoundError as error:\n"
        "    raise convcheck.UnavailableError('needs no_such_engine') from error\n" + CONV
    )
    with pytest.raises(UnavailableError, match=r"^needs no_such_engine$"):
        load(f"{tmp_path / 'kernel.py'}:conv")


@pytest.mark.parametrize(
    ("missing", "requirements", "said"),
    [
        ("acme_npu", ["numpy>=1", "Acme.NPU[sim]>=2; extra == 'engine'"], "pip install Acme.NPU"),
        ("acme_npu", ["numpy>=1"], None),
        ("acme_npu", [], None),
        ("torch", [], "pip install torch"),
    ],
)
def test_what_the_distribution_of_a_backend_requires_is_an_engine(missing, requirements, said):
    absent = absence(ModuleNotFoundError(name=missing), requirements=requirements)
    assert absent is None if said is None else str(absent).endswith(said)


def test_the_requirements_of_a_module_are_those_of_its_distribution():
    assert any(requirement.startswith("pluggy") for requirement in requirements_of("pytest.any.part"))
    assert requirements_of("no_such_package") == []


def test_an_engine_that_the_constructor_imports(tmp_path):
    (tmp_path / "kernel.py").write_text(
        "import convcheck\n"
        "class Mine(convcheck.Backend):\n"
        "    name, capabilities = 'mine', convcheck.Capabilities()\n"
        "    def __init__(self):\n"
        "        import mxnet\n"
    )
    with pytest.raises(UnavailableError, match="needs mxnet"):
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
    (tmp_path / "kernel.py").write_text("import mxnet as engine" + CONV)
    options = ["--examples", "5", "--report-dir", str(tmp_path)] if command == "run" else []
    said = subprocess.run(
        [sys.executable, "-m", "convcheck", command, "--backend", "kernel.py:conv", *options],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = " ".join((said.stdout + said.stderr).split())
    assert said.returncode == status
    assert "needs mxnet, which is not installed: pip install mxnet" in told
    assert "Traceback" not in told
    assert 'kernel.py", line' not in told
