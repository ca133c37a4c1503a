"""Numbers of the command line: what they may be, and texts that stand for some."""

from __future__ import annotations

import math
import re
from typing import Annotated, Final

import typer

from convcheck_reference.params import MAX_INDEX

MOST_CASES: Final = 10**12
"""A thousand a second take thirty years."""

MOST_WORKERS: Final = 10_000

MOST_SECONDS: Final = 366 * 86_400.0
"""A year: what a clock and a socket take."""

MOST_DIMENSIONS: Final = 8

Seed = Annotated[int, typer.Option(help="of the generator", min=0, max=MAX_INDEX)]

Workers = Annotated[int | None, typer.Option(help="judging processes (default: one a core)", min=1, max=MOST_WORKERS)]


def finite(value: float) -> float:
    """The number; for an option with a range, which NaN is neither within nor outside of.

    Raises:
        BadParameter: it is none.
    """
    if not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no number that can be counted to")
    return value


Limit = Annotated[
    float,
    typer.Option(help="seconds after which a call counts as hung", min=0.1, max=MOST_SECONDS, callback=finite),
]


def seconds(text: str, option: str) -> float | None:
    """The seconds of 90s, 5m or 1h; None for none.

    Args:
        text: as it was typed.
        option: that it was typed after.

    Raises:
        BadParameter: it is no time, or more than a year.
    """
    if not text:
        return None
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    number, unit = (text[:-1], text[-1]) if text[-1] in units else (text, "s")
    try:
        found = float(number) * units[unit]
    except ValueError:
        found = 0.0
    if not 0 < found <= MOST_SECONDS:
        raise typer.BadParameter(f"{option} {brief(text)} is no time; expected 90s, 5m or 1h, a year at most")
    return found


def shape(text: str) -> tuple[int, ...]:
    """The sizes of N,C,H,W or C,H,W.

    Raises:
        BadParameter: it is no shape.
    """
    parts = re.split("[,x]", text)
    if not all(re.fullmatch(r" *-?\d+ *", part) and len(part) <= len(str(MAX_INDEX)) for part in parts):
        raise typer.BadParameter(f"--input {brief(text)} is no shape; expected N,C,H,W such as 16,3,28,28")
    sizes = tuple(map(int, parts))
    if len(sizes) > MOST_DIMENSIONS or max(sizes) > MAX_INDEX:
        raise typer.BadParameter(
            f"--input {brief(text)} is too large; expected at most {MOST_DIMENSIONS} sizes of at most {MAX_INDEX}"
        )
    return sizes


def brief(text: str) -> str:
    """What was typed, as far as somebody reads."""
    return repr(text) if len(text) <= 100 else f"{text[:40]!r}… ({len(text):,} characters)"
