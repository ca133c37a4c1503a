"""Failure signatures: what makes two failures comparable, so that one cause may be behind both."""

from __future__ import annotations

from dataclasses import dataclass

from convcheck.model.profiles import QUANTITIES
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles import CALL, RESULT, USUAL_DRAWS, Oracle, Priority, find, of_kind


@dataclass(frozen=True, slots=True)
class FailureSignature:
    """How a failure shows.

    A wrong shape in one case and a wrong value in the next often have one cause, so both are a wrong
    result; results that are right on integers and too far away on reals lack precision. Calls that
    failed are told apart by status, all other failures by oracle.

    Attributes:
        kind: of the failure (`Oracle.kind`), or the status of a call.
        quantity: as in the verdict.
        asked_by: of a call, the oracle that asked for it and without which there would be no such call; empty for
            the calls of every case.
    """

    kind: str
    quantity: str
    asked_by: str = ""

    @classmethod
    def of(cls, verdict: Verdict) -> FailureSignature:
        """The signature of a failing verdict."""
        if verdict.quantity == CALL:
            oracle = find(verdict.oracle)
            return cls(str(verdict.status), CALL, oracle.name if oracle.has_own_calls else "")
        return cls(_kind(verdict), verdict.quantity)

    def excluded_by(self, verdict: Verdict) -> bool:
        """Whether a verdict says that its case, which could have failed so, does not."""
        if verdict.status is not Status.PASS or verdict.quantity != self.quantity:
            return False
        if self.kind == RESULT and not find(verdict.oracle).compares_values:
            return False  # a right shape alone says little about the values
        return self.quantity == CALL or _kind(verdict) == self.kind

    @property
    def oracles(self) -> tuple[Oracle, ...]:
        """The oracles that judge so; none for a call, which comes back or does not."""
        if self.quantity == CALL:
            return ()
        return of_kind(self.kind) or (find(self.kind),)

    @property
    def asker(self) -> Oracle | None:
        """The oracle without whose calls there would be no such failure; None if plain calls show it."""
        if self.asked_by:
            return find(self.asked_by)
        return next((oracle for oracle in self.oracles if oracle.has_own_calls), None)

    @property
    def priority(self) -> Priority:
        """When failures of this kind are looked at; calls come with the results that they lack."""
        return min((oracle.priority for oracle in self.oracles), default=Priority.RESULTS)

    @property
    def draws(self) -> int:
        """How many draws of the values have to pass before a case counts as passing."""
        return max((oracle.draws for oracle in self.oracles), default=USUAL_DRAWS)

    @property
    def shown_by_plain_calls(self) -> bool:
        """Whether what plain calls return shows it; otherwise only an oracle can say what is wrong."""
        if self.quantity == CALL:
            return not self.asked_by and self.kind in (Status.WRONGLY_ACCEPTED, Status.WRONGLY_REFUSED)
        return any(oracle.compares_values and not oracle.has_own_calls for oracle in self.oracles)

    @property
    def relational(self) -> bool:
        """Whether outputs of the candidate contradict one another."""
        return any(oracle.relational for oracle in self.oracles)

    @property
    def of_output(self) -> bool:
        """Whether it is a wrong value of the output, about which there is other evidence than the reference."""
        return (self.kind, self.quantity) == (RESULT, "output")

    @property
    def of_state(self) -> bool:
        """Whether an oracle found it that looks for state in the calls of one case."""
        return any(oracle.of_state for oracle in self.oracles)

    @property
    def backward(self) -> bool:
        """Whether it is about a gradient."""
        return self.quantity.startswith("grad_")


def _kind(verdict: Verdict) -> str:
    oracle = find(verdict.oracle)
    return oracle.kind if verdict.quantity in QUANTITIES else oracle.name
