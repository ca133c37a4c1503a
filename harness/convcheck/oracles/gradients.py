"""Gradients: input, weight and bias against the analytic reference, exact on integers, bounded on reals.

Convolution is bilinear, so its gradients are sums of products like the output, with their own lengths
(`convcheck.numerics.reduction_length`); the same two comparisons hold.
"""

from __future__ import annotations

from collections.abc import Iterator

from convcheck.model.profiles import GRADIENTS
from convcheck.model.verdicts import Verdict
from convcheck.oracles.bounded import judge_bounded
from convcheck.oracles.exact import judge_exact
from convcheck.oracles.support.trial import Trial

NAME = "gradients"


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge the three gradients in both regimes (clauses C2D-GRAD-1 to -4 and -6)."""
    for quantity in GRADIENTS:
        yield from judge_exact(trial, quantity, f"{NAME}-exact", "C2D-ARITH-1")
        yield from judge_bounded(trial, quantity, f"{NAME}-bounded", "C2D-ARITH-2")
