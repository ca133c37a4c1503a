"""Oracles: each judges what came back for a case, and names the clauses that it judges.

An oracle is a function from a trial to verdicts, in a file of its own, with its traits (`convcheck.oracles.oracle`).
The order matters where one defect shows in several of them: a failing case is named after the first.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from convcheck.model.calls import Call
from convcheck.model.case import Case
from convcheck.model.profiles import QUANTITIES
from convcheck.model.verdicts import Verdict
from convcheck.model.work import is_large
from convcheck.oracles import (
    accumulation,
    adjoint,
    aggregated,
    bitwise,
    bounded,
    cache_keys,
    call_tracing,
    contract,
    double_backward,
    exact,
    extensions,
    finite_differences,
    fork,
    function_transforms,
    grad_modes,
    gradients_bounded,
    gradients_exact,
    gradients_partial,
    interleaved_graphs,
    leftovers,
    memory,
    memory_format,
    metamorphic,
    module,
    module_gradients,
    module_updates,
    one_hot,
    overflow,
    parity,
    projected,
    retained_graph,
    sanitizer,
    soak,
    special,
    state,
    streams,
    taint,
)
from convcheck.oracles.oracle import CALL, PRECISION, RESULT, USUAL_DRAWS, AtScale, Expectation, Oracle, Priority
from convcheck.oracles.support.slices import slices
from convcheck.oracles.support.trial import CallKey, Trial

__all__ = [
    "CALL",
    "ORACLES",
    "PRECISION",
    "RESULT",
    "USUAL_DRAWS",
    "CallKey",
    "Expectation",
    "Oracle",
    "Priority",
    "Trial",
    "applicable",
    "due",
    "expectation_of",
    "extra_calls",
    "find",
    "judge",
    "of_kind",
]

ORACLES: Final = (
    parity.ORACLE,
    extensions.ORACLE,
    call_tracing.ORACLE,
    contract.ORACLE,
    memory.ORACLE,
    memory_format.ORACLE,
    leftovers.ORACLE,
    sanitizer.ORACLE,
    exact.ORACLE,
    bounded.ORACLE,
    special.ORACLE,
    gradients_exact.ORACLE,
    gradients_bounded.ORACLE,
    aggregated.ORACLE,
    projected.ORACLE,
    adjoint.ORACLE,
    module.ORACLE,
    module_gradients.ORACLE,
    module_updates.ORACLE,
    gradients_partial.ORACLE,
    grad_modes.ORACLE,
    accumulation.ORACLE,
    retained_graph.ORACLE,
    interleaved_graphs.ORACLE,
    double_backward.ORACLE,
    function_transforms.ORACLE,
    *metamorphic.ORACLES,
    finite_differences.ORACLE,
    one_hot.ORACLE,
    overflow.ORACLE,
    state.ORACLE,
    cache_keys.ORACLE,
    streams.ORACLE,
    bitwise.ORACLE,
    taint.ORACLE,
    soak.ORACLE,
    fork.ORACLE,
)
"""Every oracle, the most general first."""


def find(name: str) -> Oracle:
    """The oracle of this name.

    Raises:
        KeyError: there is none.
    """
    found = next((oracle for oracle in ORACLES if oracle.name == name), None)
    if found is None:
        raise KeyError(f"no oracle is called {name!r}")
    return found


def of_kind(kind: str) -> tuple[Oracle, ...]:
    """The oracles whose failures are of one kind; none for the status of a call."""
    return tuple(oracle for oracle in ORACLES if oracle.kind == kind)


def expectation_of(trial: Trial, verdict: Verdict) -> Expectation | None:
    """What is due of the one result that a verdict is about; None if its oracle compares no single result."""
    quantity = next((q for q in QUANTITIES if q == verdict.quantity), None)
    if quantity is None or trial.case.entry == "module":
        return None
    return find(verdict.oracle).expectation(trial, quantity)


def due(case: Case, rarely: int = 1) -> tuple[Oracle, ...]:
    """The oracles that a campaign asks about this case.

    Whether one is due hangs on the case and on its own name, so that adding one changes no other's cases.

    Args:
        case: the case.
        rarely: those that make calls of their own are asked so many times less often than usual.
    """
    token = case.token.encode()
    rates = ((o, o.every * rarely if o.has_own_calls else o.every) for o in applicable(case))
    return tuple(o for o, rate in rates if _draw(o, token) % rate == 0)


def applicable(case: Case) -> tuple[Oracle, ...]:
    """All oracles that can say something about this case, whatever their calls cost."""
    # an illegal case has no result to judge: only whether it was refused
    some = tuple(o for o in ORACLES if o.judges_illegal or case.violation is None)
    return tuple(o for o in some if o.at_scale is not AtScale.NOT_ASKED) if is_large(case) else some


def extra_calls(trial: Trial, oracles: Sequence[Oracle]) -> dict[CallKey, Call]:
    """The calls that `oracles` need besides those of every case."""
    if trial.case.violation is not None:
        return {}
    asked = (oracle for oracle in oracles if oracle.entry == trial.case.entry)
    return {CallKey(o.name, name): call for o in asked for name, call in o.calls(trial).items()}


def judge(trial: Trial, oracles: Sequence[Oracle]) -> tuple[Verdict, ...]:
    """The verdicts of `oracles` on a trial whose calls have been made."""
    # near the largest float64 sums of magnitudes overflow; what they bound is then not judged
    with np.errstate(over="ignore", invalid="ignore"):
        if is_large(trial.case):
            return tuple(_judge_large(trial, oracles))
        return tuple(verdict for oracle in oracles for verdict in oracle.judge(trial))


def _judge_large(trial: Trial, oracles: Sequence[Oracle]) -> Iterator[Verdict]:
    """As `judge`, of a layer that is too large for the reference: some channels are compared, the others projected."""
    parts = tuple(slices(trial)) if any(o.at_scale is AtScale.SLICES for o in oracles) else ()
    for oracle in oracles:
        if oracle.at_scale is AtScale.WHOLE:
            yield from oracle.judge(trial)
        elif oracle.at_scale is AtScale.SLICES:
            yield from (part.in_the_whole(v) for part in parts for v in oracle.judge(part.trial))


def _draw(oracle: Oracle, token: bytes) -> int:
    return zlib.crc32(token, zlib.crc32(f"{oracle.name} ".encode()))
