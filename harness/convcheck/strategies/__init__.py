"""Hypothesis strategies for cases, and the covering arrays by which half of a run is steered."""

from convcheck.model.token import read as from_token
from convcheck.strategies.calls import CallsError, DrawnCall, calls
from convcheck.strategies.cases import cases, plain_cases

__all__ = ["CallsError", "DrawnCall", "calls", "cases", "from_token", "plain_cases"]
