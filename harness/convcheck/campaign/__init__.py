"""Whole runs: many cases put to some backends within a budget, and the record of it."""

from convcheck.campaign.campaign import run
from convcheck.campaign.options import Options

__all__ = ["Options", "run"]
