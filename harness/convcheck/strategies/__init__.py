"""Hypothesis strategies for cases, and the covering arrays by which half of a run is steered."""

from convcheck.strategies.cases import cases

__all__ = ["cases"]
