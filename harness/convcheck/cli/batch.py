"""`--batch FILE`: cases from a file, one token a line; all of them are read before anything is judged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convcheck.model.case import Case
from convcheck.model.text_file import text_of
from convcheck.model.token import TokenError, read
from convcheck_reference.errors import ConvcheckError

Batch = Annotated[
    Path | None,
    typer.Option("--batch", metavar="FILE", help="cases from a file: a token a line, # begins a comment"),
]


class BatchError(ConvcheckError, ValueError):
    """A file of cases that cannot be read."""


def read_batch(file: Path) -> tuple[Case, ...]:
    """The cases of a file, in their order.

    Raises:
        BatchError: the message names the file, and the line that is no case.
    """
    try:
        lines = text_of(file).splitlines()
    except (OSError, ValueError) as error:
        raise BatchError(f"{str(file)[:300]}: {error}; expected a text file with a token a line") from error
    cases = tuple(
        _case(file, number, token) for number, line in enumerate(lines, 1) if (token := line.partition("#")[0].strip())
    )
    if not cases:
        raise BatchError(f"{file}: there is no case in it; expected a token a line, such as v1,x=1x3x8x8,out=2,k=3")
    return cases


def _case(file: Path, number: int, token: str) -> Case:
    try:
        return read(token)
    except TokenError as error:
        raise BatchError(f"{file}, line {number}: {error}") from error
