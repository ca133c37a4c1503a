import sys
from types import ModuleType

import pytest

import convcheck_reference
from convcheck_reference.lazy import lazily


@pytest.fixture
def package(tmp_path, monkeypatch):
    (tmp_path / "lazy_part.py").write_text("NUMBER = 7\n_HIDDEN = 8\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "lazy_part", raising=False)
    package = ModuleType("lazy_package")
    package.__getattr__ = lazily("lazy_package", {"lazy_part": ("NUMBER",)})
    return package


def test_a_name_is_imported_when_it_is_asked_for(package):
    assert "lazy_part" not in sys.modules
    assert package.NUMBER == 7


def test_other_names_are_none_of_the_package(package):
    with pytest.raises(AttributeError, match="module 'lazy_package' has no attribute '_HIDDEN'"):
        _ = package._HIDDEN
    assert "lazy_part" not in sys.modules


@pytest.mark.parametrize("name", convcheck_reference.__all__)
def test_every_public_name_is_there(name):
    assert getattr(convcheck_reference, name) is not None
