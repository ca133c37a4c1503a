"""Every table of every report, through tabulate, and the words and characters that all reports share."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from tabulate import tabulate

if TYPE_CHECKING:
    from convcheck.model.verdicts import Evidence

Style: TypeAlias = Literal["markdown", "text"]

WIDTH: Final = 100
"""Characters of a line at most; a word that is longer, such as a case, stays in one piece."""

_GAP: Final = 2
"""Spaces between the columns of a text, and at least so many behind the header of one."""

_NARROWEST: Final = 24
"""Characters of a column in which sentences can be read."""

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
_BEGINNING: Final = re.compile(r"^(\d*)([#>=~|]|[.)*_+](?=\s|$)|-(?=\s|-*\s*$))")
"""What makes a line of Markdown a heading, a quotation, a list, a fence, a table or a rule."""


def table(headers: Sequence[str], rows: Sequence[Sequence[object]], style: Style) -> str:
    """A table; cells are shown as they are, so an id such as 12e5 stays one.

    One that is wider than `WIDTH` becomes a table for each backend. Where that is too wide still, the lines of its
    widest column are broken, which Markdown cannot; what is left is a list.
    """
    whole = columns([[_cell(value, style) for value in row] for row in (headers, *rows)], style)
    if not rows or _fits(whole):
        return whole
    if headers[0] != "backend":
        narrow = _narrowed(headers, rows) if style == "text" else ""
        return narrow or _listed(headers, rows, style)
    return "\n\n".join(
        f"{wrapped(one_line(name, style), style)}\n\n{table(headers[1:], [row[1:] for row in some], style)}"
        for name, some in groupby(rows, key=lambda row: str(row[0]))
    )


def columns(rows: Sequence[Sequence[str]], style: Style) -> str:
    """A table of cells that are as the page shows them, however wide it is; the first row has the headers."""
    layout = "pipe" if style == "markdown" else "simple"
    return str(tabulate(rows[1:], headers=rows[0], tablefmt=layout, disable_numparse=True))


def _fits(text: str) -> bool:
    return max(map(len, text.split("\n"))) <= WIDTH


def _narrowed(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table of text the widest column of which is as narrow as it has to be; empty where that is too narrow."""
    head, *shown = [[_cell(value, "text") for value in row] for row in (headers, *rows)]
    widths = [max(len(name) + _GAP, *map(len, column)) for name, *column in zip(head, *shown, strict=True)]
    widest = widths.index(max(widths))
    room = WIDTH - _GAP * (len(widths) - 1) - sum(widths) + widths[widest]
    if room < _NARROWEST:
        return ""
    for row in shown:
        row[widest] = "\n".join(textwrap.wrap(row[widest], room, break_long_words=False, break_on_hyphens=False))
    found = str(tabulate(shown, headers=head, tablefmt="simple", disable_numparse=True))
    return found if _fits(found) else ""


def _listed(headers: Sequence[str], rows: Sequence[Sequence[object]], style: Style) -> str:
    """An item for each row, which names its columns; a column without a name holds sentences."""
    items = [
        [
            f"{header}: {value}" if header else str(value)
            for header, value in zip(headers, row, strict=True)
            if value != ""
        ]
        for row in rows
    ]
    return "\n".join(wrapped(one_line("; ".join(item), style), style, "- ") for item in items)


def definitions(rows: Sequence[tuple[str, str]], style: Style) -> str:
    """Names and what there is to say of each, in lines that are no longer than `WIDTH`."""
    if style == "markdown":
        return "\n".join(wrapped(f"{one_line(n, style)}: {one_line(t, style)}", style, "- ") for n, t in rows)
    widest = max((len(one_line(name, style)) for name, _ in rows), default=0) + 2
    return "\n".join(wrapped(one_line(t, style), style, f"{one_line(n, style):{widest}}") for n, t in rows)


def wrapped(text: str, style: Style, before: str = "") -> str:
    """A line as lines that are no longer than `WIDTH`, if its words are not; none begins a heading, a list or the like.

    Args:
        text: a line of a page, as `one_line` makes it.
        style: of the page.
        before: what the first one begins with; the others are indented as far.
    """
    width = WIDTH - len(before)
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
    if style == "markdown":
        lines = [_BEGINNING.sub(r"\1\\\2", line) for line in lines]
    return f"\n{' ' * len(before)}".join([f"{before}{lines[0]}".rstrip(), *lines[1:]])


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


def paragraphs(text: str, style: Style) -> str:
    """Each line of a text as a paragraph of a page; no line of it begins a heading, a list or a quotation."""
    return "\n\n".join(wrapped(one_line(line, style), style) for line in text.split("\n"))


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
    differs = f"expected {evidence.expected}, got {evidence.got}"
    if not evidence.index:  # a wrong shape, say
        return differs
    return f"at {evidence.index}: {differs}; {evidence.wrong} of {evidence.total} wrong: {evidence.location}"


def markdown_cell(value: object) -> str:
    """A value as a cell of a Markdown table, where it is nothing but text."""
    return one_line(str(value), "markdown").replace("|", "\\|")


def _cell(value: object, style: Style) -> str:
    return markdown_cell(value) if style == "markdown" else one_line(str(value), style)
