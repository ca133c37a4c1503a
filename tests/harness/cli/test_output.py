import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcheck.cli.output import complain, say

OBEYED = "\x1b[31m\x07\x9b2J\x1b]0;title\x07\u202e\u2066\r\ufffe\0"


@pytest.mark.parametrize("put", [say, complain])
def test_a_terminal_obeys_nothing_that_is_printed(capsys, put):
    put(f"before{OBEYED}after\nnext")
    out, err = capsys.readouterr()
    assert set(out + err) & set(OBEYED) <= set("[31m2J]0;title")
    assert (out or err).startswith("before�[31m")
    assert (out or err).endswith("after\nnext\n")


def test_what_looks_like_markup_is_printed_as_it_is(capsys):
    say("[red]x[/blue].py:f <b> [/]")
    assert capsys.readouterr().out == "[red]x[/blue].py:f <b> [/]\n"


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_any_text_can_be_printed_in_any_encoding(text):
    for encoding in ("utf-8", "ascii", "latin-1"):
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdout", stream)
            say(text)
        assert b"\x1b" not in stream.buffer.getvalue()
