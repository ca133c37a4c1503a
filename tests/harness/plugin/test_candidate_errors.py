import pytest

from convcheck.plugin.candidate_errors import raised


class _SaysNothingError(Exception):
    def __str__(self):
        raise ValueError("no words")


def _caught(error):
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def test_the_error_comes_first_and_then_the_lines_it_came_through():
    first, *lines = raised(_caught(RuntimeError("no engine"))).splitlines()
    assert first == "RuntimeError: no engine"
    assert lines[0].strip().startswith(f'File "{__file__}", line')
    assert "raise error" in lines[1]


def test_what_ends_a_process_is_named():
    assert raised(_caught(SystemExit(3))).splitlines()[0] == "SystemExit(3)"


def test_an_error_without_words_is_named_by_its_class():
    assert "_SaysNothingError" in raised(_caught(_SaysNothingError()))
