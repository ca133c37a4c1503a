"""Confining an untrusted candidate by the operating system: Python cannot guard itself from inside."""

from convcheck.execution.confinement.confined import Run, confined, end_like, survey
from convcheck.execution.confinement.guarantees import guarantees, shield
from convcheck.execution.confinement.linux import ConfinementError
from convcheck.execution.confinement.walls import ALL_MEANS, Means, Walls

__all__ = [
    "ALL_MEANS",
    "ConfinementError",
    "Means",
    "Run",
    "Walls",
    "confined",
    "end_like",
    "guarantees",
    "shield",
    "survey",
]
