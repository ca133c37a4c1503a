import sys
from functools import partial
from types import ModuleType

import pytest

import convcheck_backends.numpy_reference as in_a_package
from convcheck import load
from convcheck.plugin.live import importing, is_importing, is_live, lent, lent_as, live_name, python_name, spec_of

KERNEL = "def conv(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):\n    return x\n\nother = conv\n"


@pytest.fixture
def module(tmp_path, monkeypatch):
    file = tmp_path / "kernels.py"
    file.write_text(KERNEL)
    found = ModuleType("kernels_of_a_test")
    found.__file__ = str(file)
    exec(KERNEL, found.__dict__)
    monkeypatch.setitem(sys.modules, "kernels_of_a_test", found)
    monkeypatch.chdir(tmp_path)
    return found


def test_what_is_lent_is_found_before_what_is_installed_and_gone_afterwards():
    def numpy(x, weight, bias, stride, padding, dilation, groups):
        return x

    with lent("numpy", numpy), lent("<f>", numpy):
        assert load("numpy").conv2d is not None
        assert load("numpy").to_native(1) == load("<f>").to_native(1) == 1
        assert lent_as("<f>") is numpy
    assert lent_as("<f>") is None
    assert type(load("numpy")).__name__ == "NumpyBackend"


def test_a_function_at_the_top_of_a_file_is_found_by_it(module):
    assert spec_of(module.conv) == "kernels.py:conv"
    assert load(spec_of(module.conv)).name == "conv"


def test_from_elsewhere_the_path_is_whole(module, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert spec_of(module.conv) == f"{module.__file__}:conv"


def test_a_class_of_a_package_is_found_by_its_dotted_name():
    assert spec_of(in_a_package.NumpyBackend) == "convcheck_backends.numpy_reference:NumpyBackend"


def test_what_no_other_process_finds_has_no_spec(module):
    def local():
        pass

    nowhere = ModuleType("nowhere")
    exec(KERNEL, nowhere.__dict__)
    shadowed = module.conv
    module.conv = local
    for target in (local, lambda: 0, partial(shadowed), in_a_package.NumpyBackend(), nowhere.conv, shadowed, len, 7):
        assert spec_of(target) is None


def test_a_live_name_is_that_of_no_file_and_a_program_can_write_it():
    def mine():
        pass

    assert [live_name(target) for target in (mine, partial(mine), lambda: 0, 7)] == [
        "<mine>",
        "<mine>",
        "<lambda>",
        "<int>",
    ]
    assert all(map(is_live, ("<mine>", "<lambda>")))
    assert not any(map(is_live, ("numpy", "kernels.py:conv", "a.b:C", "<", "<>", "</td><b>")))
    assert [python_name(name) for name in ("<mine>", "<lambda>")] == ["mine", "…"]


def test_an_import_knows_that_it_is_one():
    with importing():
        assert is_importing()
    assert not is_importing()
