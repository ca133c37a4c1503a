import pytest

from convcheck import Capabilities, CapabilityError, UnavailableError, load
from convcheck.plugin.registry import Registry, preload
from convcheck.plugin.registry_errors import (
    BackendConstructorError,
    BackendFileError,
    BackendImportError,
    BackendNameError,
    BackendSignatureError,
    DuplicateBackendError,
)

GOOD = """
import numpy as np
from convcheck import Backend, Capabilities

def conv(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    return x

class Mine(Backend):
    name = "mine"
    capabilities = Capabilities()
    def conv2d(self, x, weight, bias, params):
        return x

class Raises(Mine):
    def __init__(self):
        raise RuntimeError("no engine")

class Claims(Mine):
    capabilities = Capabilities(gradients=True)

def too_few(x, weight):
    return x

number = 7
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "kernels.py"
    path.write_text(GOOD)
    return path


def test_by_file_by_dotted_name_and_by_entry_point(file, monkeypatch):
    assert load(f"{file}:conv").name.endswith("conv")
    assert load(f"{file}:Mine").name == "mine"
    assert load("convcheck_backends:NumpyBackend").name == "numpy"
    assert load("numpy").name == "numpy"


def test_by_register():
    registry = Registry()
    assert registry.register(load, "of_my_own") is load
    assert registry.resolve("of_my_own").endswith("registry.py:load")
    with pytest.raises(DuplicateBackendError, match="exists"):
        registry.register(load, "numpy")
    with pytest.raises(BackendSignatureError, match="top of a module"):
        registry.register(lambda: None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mine", load), r"register\('mine', load\): the function or class comes first, .* register\(load, 'mine'\)"),
        (("mine",), r"register\('mine'\): the function or class comes first"),
        ((load, load), r"expected a name, such as 'mine'"),
    ],
)
def test_register_says_which_argument_is_which(arguments, message):
    with pytest.raises(BackendSignatureError, match=message):
        Registry().register(*arguments)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        (":convv", BackendNameError, "did you mean 'conv'"),
        (":too_few", BackendSignatureError, "missing: stride, padding"),
        (":number", BackendSignatureError, "is a int"),
        (":Raises", BackendConstructorError, "no engine"),
        (":Claims", CapabilityError, "write conv2d_backward"),
    ],
)
def test_each_way_to_go_wrong_has_its_error(file, name, error, message):
    with pytest.raises(error, match=message):
        load(f"{file}{name}")


def test_missing_files_modules_and_names(tmp_path):
    with pytest.raises(BackendFileError, match="does not exist"):
        load(f"{tmp_path}/none.py:conv")
    broken = tmp_path / "broken.py"
    broken.write_text("import numpy.nothing_of_that_name")
    with pytest.raises(BackendImportError, match=r"numpy\.nothing_of_that_name"):
        load(f"{broken}:conv")
    with pytest.raises(BackendNameError, match="did you mean 'torch-cpu'"):
        load("torch-cpuu")


def test_a_module_that_says_that_its_engine_is_absent_is_believed(tmp_path):
    file = tmp_path / "absent.py"
    file.write_text("from convcheck import UnavailableError\nraise UnavailableError('no compiler')")
    for _ in range(2):
        with pytest.raises(UnavailableError, match="no compiler"):
            load(f"{file}:conv")


def test_capabilities_refuse_unknown_names():
    with pytest.raises(CapabilityError, match="dtypes"):
        Capabilities(dtypes=("float8",))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("def conv(:\n", BackendImportError, "cannot be imported: .*line 1.*SyntaxError"),
        ("x = 1\0\n", BackendImportError, "cannot be imported: .*null bytes"),
        ("x = 'caf\xe9'\n", BackendImportError, "cannot be imported: .*(utf-8|encoding)"),
        ("import sys\nsys.exit(0)\n", BackendImportError, r"cannot be imported: SystemExit\(0\)"),
        ("def __getattr__(name):\n    raise ValueError(name)\n", BackendImportError, "asking .* raised ValueError"),
        ("import os as conv\n", BackendSignatureError, "is a module"),
    ],
)
def test_a_file_that_is_no_module_or_misbehaves_is_refused_without_our_traceback(tmp_path, text, error, message):
    path = tmp_path / "bad.py"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(error, match=f"(?s){message}") as caught:
        load(f"{path}:conv")
    assert "Traceback" not in str(caught.value)
    assert "registry.py" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        (":x", BackendNameError, "'' is no module"),
        (".:x", BackendNameError, "'.' is no module"),
        ("a b:x", BackendNameError, "'a b' is no module"),
        ("x.py:", BackendFileError, "does not exist"),
        ("/:f", BackendFileError, "is no Python file"),
        (f"{'x' * 300}.py:f", BackendFileError, "cannot be looked for: .*too long"),
        ("~no_such_user/x.py:f", BackendFileError, "cannot be looked for|does not exist"),
    ],
)
def test_what_names_no_module_is_refused(spec, error, message):
    with pytest.raises(error, match=message):
        load(spec)


@pytest.mark.parametrize("name", ["7", "None", "''", "' '", "'x' * 201", r"'a\nb'", r"'\x1b[31m'", r"'\u202e'"])
def test_a_name_that_cannot_be_shown_is_refused(file, name):
    file.write_text(GOOD.replace('"mine"', name))
    with pytest.raises(BackendSignatureError, match=r"has no name; set|is named .*; expected at most 200 characters"):
        load(f"{file}:Mine")


def test_a_property_that_raises_is_told(file):
    file.write_text(GOOD + "\nMine.capabilities = property(lambda self: 1 / 0)\n")
    with pytest.raises(BackendSignatureError, match="name and capabilities raised ZeroDivisionError"):
        load(f"{file}:Mine")


@pytest.mark.parametrize("and_then", ["pass", "raise RuntimeError('no licence')"])
def test_a_class_makes_what_takes_long_before_workers_are_forked(tmp_path, and_then):
    file = tmp_path / "slow.py"
    file.write_text(
        f"""{GOOD}
class Slow(Mine):
    @classmethod
    def preload(cls):
        open({str(tmp_path / "made")!r}, "w").close()
        {and_then}
"""
    )
    preload(f"{file}:Slow")
    assert (tmp_path / "made").exists()
    assert load(f"{file}:Slow").name == "mine"
