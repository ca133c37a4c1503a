"""What a candidate shows in a case, as far as it can be compared with what another candidate shows there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from convcheck.model.case import Case
from convcheck.model.profiles import QUANTITIES
from convcheck.oracles import CALL, RESULT, Trial
from convcheck.triage.diagnosis.agreement import agree
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import Probe

_OUTPUT: Final = FailureSignature(RESULT, "output")


@dataclass(frozen=True)
class Behaviour:
    """What came of a case: the results of its calls, and for some signatures what an oracle said."""

    probe: Probe
    case: Case
    signature: FailureSignature

    @cached_property
    def trial(self) -> Trial:
        """The calls in which the signature can show, those that its oracle asks for among them."""
        if self.case.entry == "module" and not self.signature.shown_by_plain_calls:
            # a module draws its own parameters
            return self.probe.trial(replace(self.case, entry="function"), _OUTPUT)
        return self.probe.trial(self.case, self.signature)

    @cached_property
    def reason(self) -> str:
        """What the oracle of the signature found wrong; empty if nothing, and for what plain calls show."""
        verdict = None if self.signature.shown_by_plain_calls else self.probe.failing(self.case, self.signature)
        return "" if verdict is None else verdict.reason

    def equals(self, other: Behaviour) -> bool:
        """Whether another candidate showed the same."""
        known = self.signature.quantity in (*QUANTITIES, CALL)
        compared = self.signature if known else replace(self.signature, quantity="output")
        return self is other or (agree(self.trial, other.trial, compared.quantity) and self.reason == other.reason)


class Witness:
    """A candidate and what it showed last: what hundreds of suspects show in hundreds of cases fills the memory."""

    def __init__(self, probe: Probe, signature: FailureSignature) -> None:
        self.probe = probe
        self._signature = signature
        self._last: Behaviour | None = None

    def __call__(self, case: Case) -> Behaviour:
        """What it shows in a case."""
        if self._last is None or self._last.case != case:
            self._last = Behaviour(self.probe, case, self._signature)
        return self._last
