"""Every table of every report, through tabulate, and the words and characters that all reports share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from tabulate import tabulate

if TYPE_CHECKING:
    from convcheck.model.verdicts import Evidence

Style: TypeAlias = Literal["markdown", "text"]

_UNPRINTABLE: Final = re.compile(
    "[^\t\n -~\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
"""All but the characters of XML 1.0 (W3C, section 2.2), without what terminals obey: the controls U+007F to U+009F, the
return that overwrites a line, and what turns the direction of writing or ends a line unseen (Unicode annex 9)."""

_MARKUP: Final = re.compile(
    r"\\(?=[!-/:-@\[-`{-~])|`|\*(?=\S)|(?<=\S)\*|(?<![^\W_])_(?=\S)|(?<=\S)_(?![^\W_])|\](?=[(\[:])|~(?=~)|\$(?=\S)"
)
"""Characters that mean something in Markdown where they stand: most asterisks and underscores are what they are."""

_ENTITY: Final = re.compile(r"&(?=#?\w+;)")
_BEGINNING: Final = re.compile(r"^(\d*)([#>+=~|.)-])")


def table(headers: Sequence[str], rows: Sequence[Sequence[object]], style: Style) -> str:
    """A table; cells are shown as they are, so an id such as 12e5 stays one."""
    head, *shown = [[_cell(value, style) for value in row] for row in (headers, *rows)]
    layout = "pipe" if style == "markdown" else "simple"
    return str(tabulate(shown, headers=head, tablefmt=layout, disable_numparse=True))


def printable(text: str) -> str:
    """The text with � for every character that no page can hold or that a terminal would obey."""
    return _UNPRINTABLE.sub("�", text.replace("\r\n", "\n"))


def one_line(text: str, style: Style) -> str:
    """The text in one line of a page, where it is nothing but text: no tag, no link, no emphasis, no code."""
    text = printable(" ".join(text.split()))
    if style == "text":
        return text
    escaped = _MARKUP.sub(r"\\\g<0>", _ENTITY.sub("&amp;", text))
    # what looks like a tag would vanish from the page
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", escaped)


def paragraph(text: str, style: Style) -> str:
    """The lines of a text as lines of a page; none begins a heading, a list or a quotation."""
    lines = (one_line(line, style) for line in text.split("\n"))
    return "\n".join(_BEGINNING.sub(r"\1\\\2", line) if style == "markdown" else line for line in lines)


def fenced(text: str, language: str) -> str:
    """A block of code of a Markdown page, which the text does not end."""
    text = printable(text)
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def counted(number: int, noun: str) -> str:
    """How many there are: "1 finding", "2 findings"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def worst(evidence: Evidence | None) -> str:
    """The worst element of a wrong result, and where the wrong ones are, in one line; empty without evidence."""
    if evidence is None:
        return ""
    share = f"{evidence.wrong} of {evidence.total} wrong: {evidence.location}"
    return f"at {evidence.index}: expected {evidence.expected}, got {evidence.got}; {share}"


def _cell(value: object, style: Style) -> str:
    text = one_line(str(value), style)
    return text.replace("|", "\\|") if style == "markdown" else text
