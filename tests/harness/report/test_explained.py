import re

import pytest
from hypothesis import example, given, settings

from convcheck.explanation.explaining import explain
from convcheck.explanation.reading import read_typed
from convcheck.report.explained import explained_html, explained_text
from convcheck_reference.errors import ConvcheckError
from mangled import mangled


def shown(text, shape=None):
    typed = read_typed(text)
    asked = typed.input_shape or shape
    found = explain(typed.arguments, asked, typed.dtype)
    return explained_text(typed, found, asked), explained_html(typed, found, asked)


@pytest.mark.parametrize("shape", [None, (1, 4, 224, 224), (4, 9, 300)])
def test_a_layer_is_drawn_and_explained_in_a_hundred_columns(shape):
    text, page = shown("Conv2d(4, 6, 3, padding=1, groups=2, padding_mode='circular')", shape)
    assert ("since no --input is given" in text) is (shape is None)
    assert "█" in text
    assert "who reads what" in text
    assert text.endswith("\n\nlegal")
    assert max(map(len, text.split("\n"))) <= 100
    assert page.count("<svg") == (3 if shape is None else 4)  # where pixels are small, the window enlarged


def test_the_page_fetches_and_runs_nothing():
    _, page = shown("v1,x=1x3x8x8,out=4,k=3")
    assert "<h1><code>Conv2d(3, 4, kernel_size=3) on (1, 3, 8, 8)</code></h1>" in page
    assert not re.search(r"<script|src=|href=|url\(|https?://", page)
    assert "default-src 'none'" in page


def test_what_is_illegal_is_not_drawn_and_says_why():
    text, page = shown("Conv2d(3, 4, 3, stride=0)")
    assert "█" not in text
    assert text.endswith("illegal: stride=0 is too small; expected at least 1")
    assert "<svg" not in page
    assert 'class="bad">illegal: stride=0' in page


def test_a_flaw_of_the_tensors_is_said_beside_the_layer():
    text, _ = shown("v1,x=1x1x9x9,out=1,k=3,flaw=input_ndim")
    assert "█" in text
    assert text.endswith("illegal: the input has two dimensions")


@settings(max_examples=100, deadline=None)
@given(
    mangled("Conv2d(3, 10, (5, 3), padding='same')", "Conv2d(4, 4, 1, (2, 1), groups=2)", "v1,x=2x3x8x8,out=4,k=3,g=1")
)
@example(f"Conv2d(1, 1, 1, stride={2**63 - 1})")
@example(f"Conv2d(1, 1, 1, padding={2**61}, padding_mode='circular')")
@example(f"Conv2d(1, 1, 3, dilation={2**60})")
@example(f"Conv2d(1, 1, {2**30}, dilation={2**30})")
@example(f"Conv2d({2**40}, {2**40}, 1, groups={2**40})")
@example("Conv2d(1, 1, 3, stride=2, padding='same', dilation=9223372036854775807)")
def test_any_text_is_explained_or_refused(text):
    try:
        found = shown(text)
    except ConvcheckError:
        return
    assert all(len(one) < 100_000 for one in found)
