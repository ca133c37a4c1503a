"""Hypothesis strategies for cases, and deterministic blocks of cases, half of them steered by coverage."""

from convcheck.strategies.cases import cases
from convcheck.strategies.coverage import coverage
from convcheck.strategies.generate import generate

__all__ = ["cases", "coverage", "generate"]
