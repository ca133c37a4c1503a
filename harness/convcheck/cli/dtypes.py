"""The option that names dtypes."""

from __future__ import annotations

from collections.abc import Iterable

import typer

from convcheck.cli.numbers import brief
from convcheck_reference.formats import DTYPES


def check_dtypes(wanted: Iterable[str]) -> None:
    """Refuse what is no dtype.

    Raises:
        BadParameter: the message names it, and all that there are.
    """
    for dtype in wanted:
        if dtype not in DTYPES:
            raise typer.BadParameter(f"--dtype {brief(dtype)} is no dtype; expected some of {', '.join(DTYPES)}")
