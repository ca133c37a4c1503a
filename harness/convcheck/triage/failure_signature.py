"""Symptoms: what makes two failures comparable, so that one cause may be behind both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles import soak, state

RESULT: Final = "result"
PRECISION: Final = "precision"

_SORTS: Final = {
    "contract": RESULT,
    "exact": RESULT,
    "gradients-exact": RESULT,
    "bounded": PRECISION,
    "gradients-bounded": PRECISION,
}


@dataclass(frozen=True, slots=True)
class FailureSignature:
    """How a failure shows.

    A wrong shape in one case and a wrong value in the next often have one cause, so both are a wrong
    result; results that are right on integers and too far away on reals lack precision. Calls that
    failed are told apart by status, all other failures by oracle.

    Attributes:
        sort: "result", "precision", an oracle's name, or the status of a call after the name of the oracle
            that asked for it.
        quantity: as in the verdict.
    """

    sort: str
    quantity: str

    @classmethod
    def of(cls, verdict: Verdict) -> FailureSignature:
        """The symptom of a failing verdict."""
        if verdict.quantity == "call":
            # the name of the oracle comes first, because only it makes that call
            asked_by = "" if verdict.oracle == "parity" else f"{verdict.oracle} "
            return cls(f"{asked_by}{verdict.status}", verdict.quantity)
        return cls(_sort(verdict), verdict.quantity)

    def excluded_by(self, verdict: Verdict) -> bool:
        """Whether a verdict says that its case, which could have shown the symptom, does not."""
        if verdict.status is not Status.PASS or verdict.quantity != self.quantity:
            return False
        if self.sort == RESULT and verdict.oracle == "contract":
            return False  # a right shape alone says little about the values
        return self.quantity == "call" or _sort(verdict) == self.sort

    @property
    def relational(self) -> bool:
        """Whether it is that of a metamorphic relation."""
        return self.sort.startswith("metamorphic-")

    @property
    def of_output(self) -> bool:
        """Whether it is a wrong value of the output, about which there is other evidence than the reference."""
        return (self.sort, self.quantity) == (RESULT, "output")

    @property
    def of_state(self) -> bool:
        """Whether it is that of an oracle that looks for state in the calls of one case."""
        return self.sort in (state.NAME, soak.NAME)

    @property
    def backward(self) -> bool:
        """Whether it is about a gradient."""
        return self.quantity.startswith("grad_")


def _sort(verdict: Verdict) -> str:
    return verdict.oracle if verdict.quantity == "inputs" else _SORTS.get(verdict.oracle, verdict.oracle)
