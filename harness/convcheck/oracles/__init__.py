"""Oracles: each judges what came back for a case, and names the clauses that it judges.

An oracle is a function from a trial to verdicts, in a file of its own. The order matters where one
defect shows in several of them: a finding is named after the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from convcheck.oracles import adjoint, bounded, contract, exact, gradients, module, parity, special
from convcheck.oracles.trial import Trial
from convcheck.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Oracle:
    """A named judge of trials."""

    name: str
    judge: Callable[[Trial], Iterable[Verdict]]


ORACLES: Final = tuple(
    Oracle(module_.NAME, module_.judge)
    for module_ in (parity, contract, exact, bounded, special, gradients, adjoint, module)
)


def judge(trial: Trial) -> tuple[Verdict, ...]:
    """Every verdict of every oracle on a trial whose calls have been made."""
    # an illegal case has no result to judge: only whether it was refused
    oracles = ORACLES if trial.case.violation is None else ORACLES[:1]
    return tuple(verdict for oracle in oracles for verdict in oracle.judge(trial))
