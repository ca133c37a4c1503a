"""Sizes of memory, as they are typed."""

from __future__ import annotations

import re
from typing import Final

import typer

_UNITS: Final = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_SIZE: Final = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)\s*([KMGT]?)B?", re.IGNORECASE | re.ASCII)


def size_in_bytes(text: str) -> int:
    """The bytes of a size such as 500M, 1.5G or 0.

    Raises:
        BadParameter: it is none.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise typer.BadParameter(f"{text!r} is no size; expected 500M, 8G, or 0 for any")
    number, unit = found.groups()
    return int(float(number) * _UNITS[unit.upper()])
