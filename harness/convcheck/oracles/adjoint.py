"""The exact adjoint triple: ⟨dy, A·x⟩ = ⟨Aᵀ·dy, x⟩ = ⟨B·dy, w⟩, and Σ dy = db, on integers.

Needs no reference: the candidate's own output and gradients have to agree with each other (Claerbout,
Earth Soundings Analysis, the dot-product test). The scalars are formed modulo 2^64, where integer sums
and products are exact whatever their size: equal scalars have equal residues.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.profiles import QUANTITIES
from convcheck.model.verdicts import Evidence, Status, Verdict
from convcheck.oracles.oracle import Oracle
from convcheck.oracles.support.exercised import exercised
from convcheck.oracles.support.trial import INTEGERS, Trial

NAME = "adjoint"
CLAUSE = "C2D-GRAD-5"


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge the identity where every result of the exact regime is an exact integer."""
    case = trial.case
    results = {q: trial.returned(INTEGERS, q) for q in QUANTITIES if q != "grad_bias" or case.params.bias}
    if case.dtype.startswith("complex") or any(r is None for r in results.values()) or case.batch == 0:
        return
    clauses = (CLAUSE, *exercised(case))
    precision = trial.capabilities.promised(case, "grad_input").accumulator.precision
    if not all(trial.capabilities.promised(case, q).exact_integers for q in results):
        reason = "integers are not exact in every result under the declared profiles"
        yield Verdict(NAME, "adjoint", Status.NOT_APPLICABLE, clauses, reason)
        return
    values = trial.integers
    # a result above 2^p of its dtype may have been rounded, legally
    limit = 2.0 ** min(precision, np.finfo(np.float64).nmant + 1, _significant_bits(values.x))
    if not all(trial.expected_integers.sum(q).stays_below(limit) for q in results):
        reason = "some result needs more bits than its dtype has, so it may be rounded"
        yield Verdict(NAME, "adjoint", Status.VACUOUS, clauses, reason)
        return
    output, grad_input, grad_weight = (results[q] for q in ("output", "grad_input", "grad_weight"))
    assert output is not None
    assert grad_input is not None
    assert grad_weight is not None
    bias = np.zeros(case.params.out_channels) if values.bias is None else values.bias.astype(np.float64)
    linear = output.astype(np.float64) - bias[:, None, None]
    scalars = {
        "⟨dy, A·x⟩": _inner(values.grad_output, linear),
        "⟨Aᵀ·dy, x⟩": _inner(values.x, grad_input),
        "⟨B·dy, w⟩": _inner(values.weight, grad_weight),
    }
    grad_bias = results.get("grad_bias")
    if grad_bias is not None:
        axes = (0, 2, 3) if values.grad_output.ndim == 4 else (1, 2)
        summed = values.grad_output.astype(np.float64).sum(axis=axes)
        scalars["Σ dy"] = _inner(np.arange(1, len(summed) + 1), summed)
        scalars["db"] = _inner(np.arange(1, len(summed) + 1), grad_bias)
    bilinear = {scalars[name] for name in ("⟨dy, A·x⟩", "⟨Aᵀ·dy, x⟩", "⟨B·dy, w⟩")}
    if len(bilinear) == 1 and None not in bilinear and scalars.get("Σ dy") == scalars.get("db"):
        yield Verdict(NAME, "adjoint", Status.PASS, clauses)
        return
    shown = ", ".join(f"{name} = {'no integer' if value is None else value}" for name, value in scalars.items())
    evidence = Evidence((), "equal scalars", shown, 1, 1, "the whole result")
    yield Verdict(NAME, "adjoint", Status.FAIL, clauses, "the adjoint identity fails", evidence=evidence)


def _inner(integers: NDArray[np.generic], result: NDArray[np.generic]) -> int | None:
    """Σ a·b modulo 2^64; None where the result has an element that int64 does not hold, as it holds every right one."""
    wide = np.asarray(result, np.float64).reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):  # wraps around, which is the point
        exact = wide.astype(np.int64)
        held = np.abs(wide).max(initial=0.0) < 2.0**63 and (exact == wide).all()
        return int(integers.astype(np.int64).reshape(-1) @ exact) if held else None


def _significant_bits(array: NDArray[np.generic]) -> int:
    return {2: 8 if array.dtype.name == "bfloat16" else 11, 4: 24}.get(array.dtype.itemsize, 53)


ORACLE: Final = Oracle(NAME, judge, redundant=True)
