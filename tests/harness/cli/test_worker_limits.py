"""Sizes of memory as people type them."""

import pytest
import typer

from convcheck.cli.worker_limits import size_in_bytes


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("500M", 5 * 10**8), ("1.5g", 15 * 10**8), (" 8 GB ", 8 * 10**9), ("12345", 12345)]
)
def test_a_size_is_read(text, size):
    assert size_in_bytes(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1G", "inf", "8X", "1e9", "9" * 400])
def test_what_is_none_is_refused_with_what_was_expected(text):
    with pytest.raises(typer.BadParameter, match="expected 500M, 8G, or 0 for any"):
        size_in_bytes(text)
