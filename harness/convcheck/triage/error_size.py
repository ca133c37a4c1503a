"""How large an error is, in units that do not depend on the data."""

from __future__ import annotations

import math

import numpy as np

from convcheck.model.case import Case
from convcheck.model.profiles import QUANTITIES
from convcheck.oracles import RESULT
from convcheck.oracles.support.trial import INTEGERS, REALS
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import Probe


def relative_error(probe: Probe, case: Case, signature: FailureSignature) -> float:
    """The largest error of a wrong result in units of its gauge, the sum of magnitudes; infinite without one."""
    trial = probe.trial(case, signature)
    quantity = next(q for q in QUANTITIES if q == signature.quantity)
    regime, expected = (
        (INTEGERS, trial.expected_integers) if signature.kind == RESULT else (REALS, trial.expected_reals)
    )
    got = trial.returned(regime, quantity)
    if got is None or got.size == 0:
        return math.inf
    right = expected.sum(quantity)
    with np.errstate(all="ignore"):
        errors = np.abs(got.astype(right.value.dtype) - right.value) / right.gauge
    return float(np.max(errors[right.gauge > 0], initial=0.0))
