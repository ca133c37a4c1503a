"""Oracles: each judges what came back for a case, and names the clauses that it judges.

An oracle is a function from a trial to verdicts, in a file of its own. The order matters where one
defect shows in several of them: a finding is named after the first.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from convcheck.model.calls import Call
from convcheck.model.case import Case
from convcheck.model.verdicts import Verdict
from convcheck.oracles import (
    adjoint,
    bitwise,
    bounded,
    call_tracing,
    contract,
    double_backward,
    exact,
    finite_differences,
    gradients,
    memory,
    metamorphic,
    module,
    one_hot,
    parity,
    soak,
    special,
    state,
    taint,
)
from convcheck.oracles.oracle import Oracle
from convcheck.oracles.support.trial import Trial

__all__ = ["ORACLES", "Oracle", "Trial", "applicable", "due", "extra_calls", "judge", "repeating"]

ORACLES: Final = (
    Oracle(parity.NAME, parity.judge),
    Oracle(call_tracing.NAME, call_tracing.judge),
    Oracle(contract.NAME, contract.judge),
    Oracle(memory.NAME, memory.judge),
    Oracle(exact.NAME, exact.judge),
    Oracle(bounded.NAME, bounded.judge),
    Oracle(special.NAME, special.judge),
    Oracle(gradients.NAME, gradients.judge),
    Oracle(adjoint.NAME, adjoint.judge),
    Oracle(module.NAME, module.judge),
    Oracle(double_backward.NAME, double_backward.judge, double_backward.calls, every=4),
    *metamorphic.ORACLES,
    Oracle(finite_differences.NAME, finite_differences.judge, finite_differences.calls, every=10),
    Oracle(one_hot.NAME, one_hot.judge, one_hot.calls, every=10),
    Oracle(state.NAME, state.judge, state.calls, every=20),
    Oracle(bitwise.NAME, bitwise.judge, bitwise.calls, every=10),
    Oracle(taint.NAME, taint.judge, taint.calls, every=6),
    Oracle(soak.NAME, soak.judge, soak.calls, every=150),
)
"""Every oracle, the most general first."""


def due(case: Case) -> tuple[Oracle, ...]:
    """The oracles that a campaign asks about this case: a pure function of the case."""
    draw = zlib.crc32(case.token.encode())
    return tuple(o for at, o in enumerate(applicable(case)) if (draw + 7 * at) % o.every == 0)


def repeating(name: str, case: Case) -> tuple[Oracle, ...]:
    """The oracles to ask when a verdict of the oracle `name` is to be repeated: it, and those of every case."""
    return tuple(o for o in applicable(case) if o.every == 1 or name.startswith(o.name))


def applicable(case: Case) -> tuple[Oracle, ...]:
    """All oracles that can say something about this case, whatever their calls cost."""
    # an illegal case has no result to judge: only whether it was refused
    return ORACLES if case.violation is None else ORACLES[:1]


def extra_calls(trial: Trial, oracles: Sequence[Oracle]) -> dict[str, Call]:
    """The calls that `oracles` need besides those of every case."""
    if trial.case.violation is not None or trial.case.entry == "module":
        return {}
    return {f"{o.name} {name}": call for o in oracles for name, call in o.calls(trial).items()}


def judge(trial: Trial, oracles: Sequence[Oracle]) -> tuple[Verdict, ...]:
    """The verdicts of `oracles` on a trial whose calls have been made."""
    # near the largest float64 sums of magnitudes overflow; what they bound is then not judged
    with np.errstate(over="ignore", invalid="ignore"):
        return tuple(verdict for oracle in oracles for verdict in oracle.judge(trial))
