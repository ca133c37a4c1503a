"""A backend whose device or engine is absent is for whoever named it to mend: said in one way by every command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from convcheck.plugin.backend import UnavailableError


@contextmanager
def available(spec: str) -> Iterator[None]:
    """Within, a backend is opened.

    Args:
        spec: as it was asked for.

    Raises:
        BadParameter: it is unavailable; the message says why.
    """
    try:
        yield
    except UnavailableError as error:
        raise typer.BadParameter(f"{spec} is unavailable: {error}") from error
