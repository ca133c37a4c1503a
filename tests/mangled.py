"""Texts that are nearly what a parser expects, or nothing like it."""

from hypothesis import strategies as st

ODD = (
    "",
    "\0",
    "\n",
    "\x1b[31m",
    "\ud800",
    "\u202e",
    "½",
    "٣",
    "-",
    "-1",
    "nan",
    "inf",
    "1e999",
    "9" * 30,
    "9" * 5000,
    "x" * 300,
    "(" * 300,
    "[red]",
    "\\",
    "'",
    '"',
    "%20",
)


@st.composite
def _edited(draw, texts):
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 8)))
        new = draw(
            st.one_of(
                st.sampled_from(ODD), st.just(text[start:end] * 2), st.text(max_size=4), st.sampled_from(list(texts))
            )
        )
        text = text[:start] + new + text[end:]
    return text


def mangled(*texts):
    """Any text, and the given ones with some parts left out, doubled or replaced."""
    return st.one_of(_edited(texts), st.text(max_size=40))
