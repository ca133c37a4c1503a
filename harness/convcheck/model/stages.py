"""How far a failure is understood while a run goes on."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias

from convcheck.model.record import Finding


class Stage(StrEnum):
    """SEEN: it is the first of its kind, as it came. SMALLEST: a smallest case shows it. CAUSE: it was examined."""

    SEEN = "seen"
    SMALLEST = "smallest case"
    CAUSE = "cause"


Heard: TypeAlias = Callable[[Stage, Finding], None]
"""Told of a failure each time that more is known of it."""


def unheard(_stage: Stage, _finding: Finding) -> None:
    """Nobody waits for what is found."""
