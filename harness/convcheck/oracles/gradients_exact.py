"""Exact gradients: input, weight and bias against the analytic reference, bit for bit on integers.

Convolution is bilinear, so its gradients are sums of products like the output, with their own lengths
(`convcheck.numerics.reduction_length`); the comparison of the output holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from convcheck.model.profiles import GRADIENTS
from convcheck.model.verdicts import Verdict
from convcheck.oracles.exact import expectation, judge_exact
from convcheck.oracles.oracle import RESULT, AtScale, Oracle
from convcheck.oracles.support.trial import Trial

NAME = "gradients-exact"


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge the three gradients of the exact regime (clauses C2D-GRAD-1 to -4 and -6, and C2D-ARITH-1)."""
    for quantity in GRADIENTS:
        yield from judge_exact(trial, quantity, NAME, "C2D-ARITH-1")


ORACLE: Final = Oracle(NAME, judge, kind=RESULT, expectation=expectation, at_scale=AtScale.SLICES)
