"""Every table of every report, through tabulate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from tabulate import tabulate

Style: TypeAlias = Literal["markdown", "text"]


def table(headers: Sequence[str], rows: Sequence[Sequence[object]], style: Style) -> str:
    """A table; cells are shown as they are, so an id such as 12e5 stays one."""
    shown = [[_cell(value, style) for value in row] for row in rows]
    layout = "pipe" if style == "markdown" else "simple"
    return str(tabulate(shown, headers=list(headers), tablefmt=layout, disable_numparse=True))


def _cell(value: object, style: Style) -> str:
    text = " ".join(str(value).split())
    return text.replace("|", "\\|") if style == "markdown" else text
