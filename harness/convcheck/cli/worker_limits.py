"""Options that limit what the process of a candidate may take."""

from __future__ import annotations

import re
from typing import Annotated, Final

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


StartLimit = Annotated[float, typer.Option(help="seconds after which a start, its import say, counts as hung", min=0.1)]
Memory = Annotated[
    int | None,
    typer.Option(
        help="of a candidate's process: 500M, 8G, 0 for any (default: half the machine's)",
        parser=size_in_bytes,
        metavar="SIZE",
    ),
]
