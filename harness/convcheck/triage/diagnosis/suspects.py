"""Suspects: the defects of the library that nothing speaks against so far, each put to the candidate's own cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final, Protocol

from convcheck.execution import Candidate, InProcessCandidate, PromisingCandidate, RestartingCandidate
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.diagnosis import KnownDefectMatch
from convcheck.model.profiles import QUANTITIES
from convcheck.model.rules import Rule, facts
from convcheck.oracles import CALL, Trial
from convcheck.plugin.backend import Backend
from convcheck.plugin.reference_backend import ReferenceBackend
from convcheck.triage.diagnosis.agreement import agree
from convcheck.triage.diagnosis.behaviour import Behaviour, Witness
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import Budget, Probe

EVERYTHING: Final = FailureSignature("every call", CALL)
"""Asks for all the calls of a case, and compares all that they return."""

_UNBOUNDED: Final = 10**9
"""Calls of a defect of ours: nobody waits for them but this process."""


_TRIALS: Final = 8
"""Cases whose data are kept: suspects are asked about one case after the other, some again about a failing one."""


class Defect(Protocol):
    """A wrong convolution that a candidate may behave like."""

    @property
    def name(self) -> str:
        """Unique."""

    @property
    def summary(self) -> str:
        """Completes "behaves like …"."""

    @property
    def region(self) -> Rule:
        """Which cases can show it."""

    def backend(self) -> Backend:
        """A fresh backend that has the defect."""


@dataclass(slots=True)
class Suspect:
    """A defect, and in how many cases it gave the candidate's results."""

    defect: Defect
    witness: Witness
    matched: int = 0
    tried: int = 0

    def count(self, *, wrong: bool) -> None:
        """One more case, in which the candidate was wrong or right, and the defect likewise."""
        self.tried += 1
        self.matched += wrong

    @property
    def match(self) -> KnownDefectMatch:
        """What is reported of it."""
        return KnownDefectMatch(self.defect.name, self.defect.summary, self.matched, self.tried)


class Suspects:
    """The defects that are left, and the reference, which they equal outside their regions.

    Args:
        probe: of the candidate.
        signature: how it fails.
        defects: all of them, at first.
    """

    def __init__(self, probe: Probe, signature: FailureSignature, defects: Sequence[Defect]) -> None:
        make = sharing(probe)
        self._signature = signature
        self.right = Witness(make(ReferenceBackend), signature)
        self.left = [Suspect(d, Witness(make(d.backend), signature)) for d in defects]
        self._groups: dict[tuple[str, int], int] = {}

    def ask(self, case: Case, theirs: Behaviour, *, wrong: bool) -> None:
        """Drop the suspects that do not behave like the candidate in one more case."""
        self.left = [s for s in self.left if theirs.equals(self._shown(s, case))]
        for suspect in self.left:
            suspect.count(wrong=wrong)

    def spoils(self, suspect: Suspect, case: Case, probe: Probe) -> bool:
        """Whether a suspect gets another quantity wrong that the candidate gets right."""
        theirs, right, its = (one.trial(case, EVERYTHING) for one in (probe, self.right.probe, suspect.witness.probe))
        return any(agree(theirs, right, q) and not agree(theirs, its, q) for q in QUANTITIES)

    def groups(self, case: Case) -> int:
        """Into how many groups of equal behaviour a case parts the suspects and the reference."""
        key = case.token, len(self.left)  # suspects only ever leave
        if key not in self._groups:
            groups = [self.right(case)]
            for suspect in self.left:
                shown = self._shown(suspect, case)
                if not any(shown.equals(other) for other in groups):
                    groups.append(shown)
            self._groups[key] = len(groups)
        return self._groups[key]

    def _shown(self, suspect: Suspect, case: Case) -> Behaviour:
        """What a suspect shows in a case; it is not called where it is known to be right."""
        plain = self._signature.shown_by_plain_calls and case.violation is None
        if plain and not suspect.defect.region.holds(facts(case)):
            return self.right(case)
        return suspect.witness(case)


def sharing(probe: Probe) -> Callable[[Callable[[], Backend]], Probe]:
    """Makes probes of backends that get the tensors of a candidate, made once for all of them.

    They promise what the candidate promises, so that all get the same data, and start afresh where it does.
    """
    capabilities = probe.candidate.capabilities

    @lru_cache(maxsize=_TRIALS)
    def blank(case: Case) -> Trial:
        trial = Trial(case, capabilities)
        if case.is_legal_call:
            trial.expected_reals  # noqa: B018  (made now, all share what the reference makes of the data)
        return trial

    return partial(
        _probe, restarting=isinstance(probe.candidate, RestartingCandidate), promised=capabilities, blank=blank
    )


def _probe(
    make: Callable[[], Backend], *, restarting: bool, promised: Capabilities, blank: Callable[[Case], Trial]
) -> Probe:
    candidate: Candidate = PromisingCandidate(InProcessCandidate(make), promised)
    return Probe(RestartingCandidate(candidate) if restarting else candidate, budget=Budget(_UNBOUNDED), blank=blank)
