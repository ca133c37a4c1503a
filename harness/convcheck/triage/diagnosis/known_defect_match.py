"""Lookalikes: the defects of a library whose results are the candidate's, wherever it was asked.

On integers equal means bit for bit, so a wrong index, a lost bias or a skipped tail has hardly a double.
Lost precision does not show there: such a defect is compared on reals, where the candidate may differ
from the emulated defect by the legal rounding errors of both only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain
from typing import Final, Protocol

from convcheck.execution import Candidate, InProcessCandidate
from convcheck.execution.restarting_candidate import RestartingCandidate
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.diagnosis import KnownDefectMatch
from convcheck.model.profiles import QUANTITIES
from convcheck.model.rules import Rule, facts
from convcheck.model.verdicts import Status
from convcheck.oracles.support.trial import Trial
from convcheck.plugin.backend import Backend
from convcheck.plugin.reference_backend import ReferenceBackend
from convcheck.triage.diagnosis.agreement import agree
from convcheck.triage.failure_signature import PRECISION, RESULT, FailureSignature
from convcheck.triage.probe import Bench, Budget

LEAST_WRONG: Final = 3
"""Failing cases that a defect must reproduce before it is named."""

_MOST_NAMED: Final = 3
_TELLING: Final = 24
"""Cases that are asked because they tell suspects apart, from each other or from what is right."""
_BY_OUTCOME: Final = (RESULT, PRECISION, "special", str(Status.WRONGLY_ACCEPTED), str(Status.WRONGLY_REFUSED))
"""What plain calls show; any other sort of symptom is compared by the reason that its oracle gives."""
_OUTPUT: Final = FailureSignature(RESULT, "output")
_EVERYTHING: Final = FailureSignature("every call", "call")


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


@dataclass(frozen=True)
class _Shown:
    """What came of a case, as far as it can be compared: calls, and for some symptoms what an oracle said."""

    bench: Bench
    case: Case
    symptom: FailureSignature

    @cached_property
    def trial(self) -> Trial:
        """The calls in which the symptom can show, those that its oracle asks for among them."""
        if self.case.entry == "module" and self.symptom.sort not in _BY_OUTCOME:
            # a module draws its own parameters
            return self.bench.trial(replace(self.case, entry="function"), _OUTPUT)
        return self.bench.trial(self.case, self.symptom)

    @cached_property
    def reason(self) -> str:
        """What the oracle of the symptom found wrong; empty if nothing, and for what plain calls show."""
        verdict = None if self.symptom.sort in _BY_OUTCOME else self.bench.failing(self.case, self.symptom)
        return "" if verdict is None else verdict.reason

    def equals(self, other: _Shown) -> bool:
        """Whether another candidate showed the same."""
        known = self.symptom.quantity in (*QUANTITIES, "call")
        symptom = self.symptom if known else replace(self.symptom, quantity="output")
        return self is other or (agree(self.trial, other.trial, symptom) and self.reason == other.reason)


class _Shared(Bench):
    """The bench of a backend that gets the tensors of the candidate, made once for all such backends."""

    def __init__(self, make: Callable[[], Backend], theirs: Candidate, blank: dict[str, Trial]) -> None:
        candidate: Candidate = _Promising(make, theirs.capabilities)
        super().__init__(
            RestartingCandidate(candidate) if isinstance(theirs, RestartingCandidate) else candidate,
            budget=Budget(10**9),
        )
        self._blanks = blank

    def _blank(self, case: Case) -> Trial:
        if case.token not in self._blanks:
            self._blanks[case.token] = super()._blank(case)
        return self._blanks[case.token]


class _Witness:
    """A candidate and what it showed, by case."""

    def __init__(self, bench: Bench, symptom: FailureSignature) -> None:
        self.bench = bench
        self._symptom = symptom
        self._shown: dict[str, _Shown] = {}

    def __call__(self, case: Case) -> _Shown:
        """What it shows in a case."""
        if case.token not in self._shown:
            self._shown[case.token] = _Shown(self.bench, case, self._symptom)
        return self._shown[case.token]


@dataclass(slots=True)
class _Suspect:
    """A defect that nothing speaks against so far."""

    defect: Defect
    witness: _Witness
    matched: int = 0
    tried: int = 0


class _Library:
    """The defects as suspects, and the reference, which they equal outside their regions."""

    def __init__(self, bench: Bench, symptom: FailureSignature, defects: Sequence[Defect]) -> None:
        blank: dict[str, Trial] = {}
        make = partial(_Shared, theirs=bench.candidate, blank=blank)
        self._symptom = symptom
        self._right = _Witness(make(ReferenceBackend), symptom)
        self._lots: dict[tuple[str, int], int] = {}
        self.suspects = [_Suspect(d, _Witness(make(d.backend), symptom)) for d in defects]

    def shown(self, suspect: _Suspect, case: Case) -> _Shown:
        """What a suspect shows in a case; it is not called where it is known to be right."""
        plain = self._symptom.sort in _BY_OUTCOME and case.violation is None
        if plain and not suspect.defect.region.holds(facts(case)):
            return self._right(case)
        return suspect.witness(case)

    def ask(self, case: Case, theirs: _Shown, *, wrong: bool) -> None:
        """Drop the suspects that do not behave like the candidate in one more case."""
        self.suspects = [s for s in self.suspects if theirs.equals(self.shown(s, case))]
        for suspect in self.suspects:
            suspect.tried += 1
            suspect.matched += wrong

    def spoils(self, suspect: _Suspect, case: Case, bench: Bench) -> bool:
        """Whether a suspect gets another quantity wrong that the candidate gets right."""
        theirs, right, its = (one.trial(case, _EVERYTHING) for one in (bench, self._right.bench, suspect.witness.bench))
        asked = [replace(_EVERYTHING, quantity=q) for q in QUANTITIES]
        return any(agree(theirs, right, one) and not agree(theirs, its, one) for one in asked)

    def told_apart(self, case: Case) -> int:
        """Into how many lots a case parts the suspects and the reference."""
        key = case.token, len(self.suspects)  # suspects only ever leave
        if key not in self._lots:
            lots = [self._right(case)]
            for suspect in self.suspects:
                shown = self.shown(suspect, case)
                if not any(shown.equals(other) for other in lots):
                    lots.append(shown)
            self._lots[key] = len(lots)
        return self._lots[key]


def lookalikes(
    bench: Bench,
    symptom: FailureSignature,
    failing: Sequence[Case],
    others: Sequence[Iterable[Case]],
    defects: Sequence[Defect],
) -> tuple[KnownDefectMatch, ...]:
    """The defects that behave like the candidate, those whose region fits best first; empty if none does.

    Args:
        bench: of the candidate.
        symptom: how it fails.
        failing: cases that show it, the smallest first.
        others: cases around them, and elsewhere; of each the candidate is asked the ones that part the
            remaining defects, and what is right, into most lots.
        defects: the library, without those that end their process.
    """
    library, theirs = _Library(bench, symptom, defects), _Witness(bench, symptom)
    for case in failing:
        if library.suspects:
            library.ask(case, theirs(case), wrong=True)
    for case in chain.from_iterable(_telling(library, cases) for cases in others):
        label = bench.label(case, symptom)
        if label is not None:
            library.ask(case, theirs(case), wrong=label)
    compared = [case for case in failing if case.violation is None and case.entry == "function"][:LEAST_WRONG]
    named = [
        s
        for s in library.suspects
        if s.matched >= LEAST_WRONG and not any(library.spoils(s, c, bench) for c in compared)
    ]
    if len(named) > 1:
        named.sort(key=lambda s: (-_entirely(failing[0], bench, s), -_fit(s.defect, failing)))
    return tuple(KnownDefectMatch(s.defect.name, s.defect.summary, s.matched, s.tried) for s in named[:_MOST_NAMED])


def _telling(library: _Library, cases: Iterable[Case]) -> Iterator[Case]:
    """The cases that tell most about the suspects that are left when they are asked for, `_TELLING` at most."""
    pool = list(cases)
    for _ in range(_TELLING):
        best: tuple[int, int] | None = None
        for at, case in enumerate(pool if library.suspects else ()):
            lots = library.told_apart(case)
            if lots > (best[0] if best else 1):
                best = lots, at
            if lots > len(library.suspects):
                break
        if best is None:
            return
        yield pool.pop(best[1])


def matches_with_setup(
    bench: Bench, symptom: FailureSignature, before: Sequence[Case], case: Case, defects: Sequence[Defect]
) -> tuple[KnownDefectMatch, ...]:
    """The defects that give the candidate's results when the same cases ran before, each time from the start.

    Args:
        bench: of the candidate.
        symptom: how it fails; only wrong results are compared.
        before: cases that have to run first.
        case: fails after them.
        defects: the library, without those that end their process.
    """
    if symptom.sort != RESULT:
        return ()
    blank: dict[str, Trial] = {}
    make = partial(_Shared, theirs=bench.candidate, blank=blank)
    right = make(ReferenceBackend)
    suspects = [_Suspect(d, _Witness(make(d.backend), symptom)) for d in defects]
    for more in range(LEAST_WRONG + 1):
        last = replace(case, seed=case.seed + more)
        theirs = _without_and_with(bench, before, last, symptom)
        wrong = not agree(theirs[1], right.trial(last, symptom), symptom)
        shown = [_without_and_with(s.witness.bench, before, last, symptom) for s in suspects]
        suspects = [
            suspect
            for suspect, its in zip(suspects, shown, strict=True)
            if all(agree(a, b, symptom) for a, b in zip(theirs, its, strict=True))
        ]
        for suspect in suspects:
            suspect.tried += 1
            suspect.matched += wrong
    named = [s for s in suspects if s.matched >= LEAST_WRONG][:_MOST_NAMED]
    return tuple(KnownDefectMatch(s.defect.name, s.defect.summary, s.matched, s.tried) for s in named)


def _without_and_with(
    bench: Bench, before: Sequence[Case], case: Case, symptom: FailureSignature
) -> tuple[Trial, Trial]:
    """The trials of a case by itself and after others, each time on a fresh candidate."""
    bench.fresh()
    alone = bench.trial(case, symptom)
    bench.fresh()
    for earlier in before:
        bench.replay(earlier)
    return alone, bench.trial(case, symptom)


def reproduces(bench: Bench, symptom: FailureSignature, case: Case, defect: Defect) -> bool:
    """Whether a defect gives the candidate's results in one case."""
    library = _Library(bench, symptom, [defect])
    library.ask(case, _Shown(bench, case, symptom), wrong=True)
    return bool(library.suspects)


class _Promising(InProcessCandidate):
    """A backend that promises what the candidate promises, so that both get the same tensors."""

    def __init__(self, make: Callable[[], Backend], capabilities: Capabilities) -> None:
        super().__init__(make)
        self._promised = capabilities

    @property
    def capabilities(self) -> Capabilities:
        """The candidate's."""
        return self._promised


def _entirely(case: Case, bench: Bench, suspect: _Suspect) -> bool:
    """Whether a defect gives every quantity as the candidate does, not only the one that is wrong."""
    return agree(bench.trial(case, _EVERYTHING), suspect.witness.bench.trial(case, _EVERYTHING), _EVERYTHING)


def _fit(defect: Defect, failing: Sequence[Case]) -> float:
    """How well the region of a defect fits: the cases that fail lie inside; a narrow region says more."""
    legal = [case for case in failing if case.violation is None]
    inside = sum(defect.region.holds(facts(case)) for case in legal)
    return inside / max(1, len(legal)) + 0.001 * len(defect.region.text)
