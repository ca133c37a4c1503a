"""Whole runs: many cases put to some backends within a budget, and the record of it."""

from typing import TYPE_CHECKING, Final

from convcheck_reference.lazy import lazily

if TYPE_CHECKING:
    from convcheck.campaign.campaign import run
    from convcheck.campaign.options import Options

__all__ = ["Options", "run"]

_HOMES: Final = {
    "convcheck.campaign.campaign": ("run",),
    "convcheck.campaign.options": ("Options",),
}

if not TYPE_CHECKING:  # a type checker that saw it would take every name to be public
    __getattr__ = lazily(__name__, _HOMES)
