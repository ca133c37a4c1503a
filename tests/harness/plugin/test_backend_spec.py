import pytest
from hypothesis import given, settings

from convcheck import UnavailableError
from convcheck.plugin.backend_spec import check_spec
from convcheck.plugin.registry import load
from convcheck.plugin.registry_errors import BackendNameError, RegistryError
from mangled import mangled


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' names no backend; expected an installed name, path/to/file.py:name or package.module:Name"),
        ("  ", "names no backend"),
        ("a\0b", "has a NUL in it"),
        ("\ud800", "is the name of nothing"),
        ("x" * 5000, r"a backend of 5,000 characters, 'x{40}'…; expected"),
    ],
)
def test_what_names_nothing_is_refused_before_anything_is_looked_for(text, message):
    with pytest.raises(BackendNameError, match=message):
        check_spec(text)


@settings(max_examples=100, deadline=None)
@given(mangled("numpyy", "no_such_kernel.py:conv", "no_such_module.kernels:Conv", "[red]x[/blue].py:f"))
def test_any_text_names_a_backend_or_is_refused(text):
    if text.strip() in ("this", "antigravity"):  # modules that do something as they are imported
        return
    try:
        assert load(text).name
    except (RegistryError, UnavailableError) as error:
        assert "Traceback" not in str(error)  # noqa: PT017
