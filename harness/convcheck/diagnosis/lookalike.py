"""Lookalikes: the defects of a library whose results are the candidate's, wherever it was asked.

On integers equal means bit for bit, so a wrong index, a lost bias or a skipped tail has hardly a double.
Lost precision does not show there: such a defect is compared on reals, where the candidate may differ
from the emulated defect by the legal rounding errors of both only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from convcheck.backend import Backend
from convcheck.calls import Outcome, Raised, Returned
from convcheck.capabilities import Capabilities
from convcheck.case import Case
from convcheck.diagnosis.model import Lookalike
from convcheck.diagnosis.whereabouts import expected
from convcheck.execution import Host
from convcheck.findings.bench import Bench
from convcheck.findings.symptom import PRECISION, RESULT, Symptom
from convcheck.oracles.trial import REALS, Trial
from convcheck.profiles import QUANTITIES, Quantity
from convcheck.reference_backend import ReferenceBackend
from convcheck.rules import Rule, facts
from convcheck.verdicts import Status

Array = NDArray[Any]

LEAST_WRONG: Final = 3
"""Failing cases that a defect must reproduce before it is named."""

_MOST_NAMED: Final = 3
_TELLING: Final = 20
_OUTPUT: Final = Symptom(RESULT, "output")
_CALLS: Final = tuple(str(s) for s in (Status.WRONGLY_ACCEPTED, Status.WRONGLY_REFUSED))


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
class _Suspect:
    """A defect that nothing speaks against so far."""

    defect: Defect
    bench: Bench
    matched: int = 0
    tried: int = 0


def lookalikes(
    bench: Bench, symptom: Symptom, failing: Sequence[Case], others: Iterable[Case], defects: Sequence[Defect]
) -> tuple[Lookalike, ...]:
    """The defects that behave like the candidate, those whose region fits best first; empty if none does.

    Args:
        bench: of the candidate.
        symptom: how it fails.
        failing: cases that show it, the smallest first.
        others: cases around them; those that would tell the remaining defects from the candidate, or
            from each other, are asked.
        defects: the library, without those that end their process.
    """
    suspects = [_Suspect(d, _bench_of(d, bench)) for d in defects]
    for case in failing:
        suspects = _asked(case, bench, symptom, suspects, wrong=True)
    pool = list(others)
    for _ in range(_TELLING):
        telling = next((c for c in pool if _tells(c, symptom, suspects)), None) if suspects else None
        if telling is None:
            break
        pool = pool[pool.index(telling) + 1 :]
        label = bench.label(telling, symptom)
        if label is not None:
            suspects = _asked(telling, bench, symptom, suspects, wrong=label)
    named = [s for s in suspects if s.matched >= LEAST_WRONG]
    if len(named) > 1:
        named.sort(key=lambda s: (-_entirely(failing[0], bench, s), -_fit(s.defect, failing)))
    return tuple(Lookalike(s.defect.name, s.defect.summary, s.matched, s.tried) for s in named[:_MOST_NAMED])


def lookalikes_with_history(
    bench: Bench, symptom: Symptom, before: Sequence[Case], case: Case, defects: Sequence[Defect]
) -> tuple[Lookalike, ...]:
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
    right = Bench(_Promising(ReferenceBackend, bench.candidate.capabilities), most=10**9)
    suspects = [_Suspect(d, _bench_of(d, bench)) for d in defects]
    for more in range(LEAST_WRONG + 1):
        sequence = [replace(c, seed=c.seed + more) for c in (*before, case)]
        theirs = _last(bench, sequence, symptom)
        wrong = not _agree(theirs, right.trial(sequence[-1], symptom), symptom)
        suspects = [s for s in suspects if _agree(theirs, _last(s.bench, sequence, symptom), symptom)]
        for suspect in suspects:
            suspect.tried += 1
            suspect.matched += wrong
    named = [s for s in suspects if s.matched >= LEAST_WRONG][:_MOST_NAMED]
    return tuple(Lookalike(s.defect.name, s.defect.summary, s.matched, s.tried) for s in named)


def _last(bench: Bench, sequence: Sequence[Case], symptom: Symptom) -> Trial:
    """The last trial of cases that run one after the other on a fresh candidate."""
    bench.fresh()
    return [bench.trial(case, symptom) for case in sequence][-1]


def reproduces(bench: Bench, symptom: Symptom, case: Case, defect: Defect) -> bool:
    """Whether a defect gives the candidate's results in one case."""
    return bool(_asked(case, bench, symptom, [_Suspect(defect, _bench_of(defect, bench))], wrong=True))


def _bench_of(defect: Defect, bench: Bench) -> Bench:
    return Bench(_Promising(defect.backend, bench.candidate.capabilities), most=10**9)


class _Promising(Host):
    """A backend that promises what the candidate promises, so that both get the same tensors."""

    def __init__(self, make: Callable[[], Backend], capabilities: Capabilities) -> None:
        super().__init__(make)
        self._promised = capabilities

    @property
    def capabilities(self) -> Capabilities:
        """The candidate's."""
        return self._promised


def _asked(case: Case, bench: Bench, symptom: Symptom, suspects: Sequence[_Suspect], *, wrong: bool) -> list[_Suspect]:
    """The suspects that behave like the candidate in one more case."""
    if symptom.sort not in (RESULT, PRECISION, "special", *_CALLS):
        return [s for s in suspects if _same_verdict(case, bench, symptom, s, wrong=wrong)]
    theirs = bench.trial(case, symptom)
    left = []
    for suspect in suspects:
        if _agree(theirs, suspect.bench.trial(case, symptom), symptom):
            suspect.tried += 1
            suspect.matched += wrong
            left.append(suspect)
    return left


def _same_verdict(case: Case, bench: Bench, symptom: Symptom, suspect: _Suspect, *, wrong: bool) -> bool:
    """What an oracle of its own found is compared by its reason, and besides by what a plain call gives."""
    mine, its = bench.failing(case, symptom), suspect.bench.failing(case, symptom)
    suspect.tried += 1
    suspect.matched += wrong
    if (None if mine is None else mine.reason) != (None if its is None else its.reason):
        return False
    plain = replace(case, entry="function")
    return case.violation is not None or _agree(
        bench.trial(plain, _OUTPUT), suspect.bench.trial(plain, _OUTPUT), _OUTPUT
    )


def _tells(case: Case, symptom: Symptom, suspects: Sequence[_Suspect]) -> bool:
    """Whether a case tells two suspects apart, or the only one left from what is right."""
    first, *others = suspects
    if not others:
        return first.bench.label(case, symptom) is True
    mine = first.bench.trial(case, symptom)
    return any(not _agree(mine, other.bench.trial(case, symptom), symptom) for other in others[:3])


def _agree(a: Trial, b: Trial, symptom: Symptom) -> bool:
    """Whether two candidates did the same in every call that can show a symptom."""
    quantities = [q for q in QUANTITIES if symptom.quantity in (q, "call")]
    return all(
        _same_outcome(outcome, b.outcomes[name], a if name.startswith(REALS) else None, quantities)
        for name, outcome in a.outcomes.items()
    )


def _same_outcome(a: Outcome, b: Outcome, reals: Trial | None, quantities: Sequence[Quantity]) -> bool:
    if not (isinstance(a, Returned) and isinstance(b, Returned)):
        return isinstance(a, Raised) and isinstance(b, Raised)
    return all(_same_array(a.arrays.get(q), b.arrays.get(q), reals, q) for q in quantities)


def _same_array(a: Array | None, b: Array | None, reals: Trial | None, quantity: Quantity) -> bool:
    if a is None or b is None:
        return a is b
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if reals is None:
        return bool(np.array_equal(a, b, equal_nan=True))
    return _within_rounding(a, b, reals, quantity)


def _within_rounding(a: Array, b: Array, trial: Trial, quantity: Quantity) -> bool:
    """Whether two results on reals differ by legal rounding errors of both: by 2·B at most, elementwise."""
    wide = np.complex128 if a.dtype.kind == "c" else np.float64
    left, right = a.astype(wide), b.astype(wide)
    finite = np.isfinite(left) & np.isfinite(right)
    if not np.array_equal(left[~finite], right[~finite], equal_nan=True):
        return False
    oracle = "special" if trial.case.regime == "special" else "bounded"
    _, bound = expected(trial, oracle, quantity)
    with np.errstate(invalid="ignore"):
        near = np.abs(left - right) <= 2 * bound
    return bool((near | ~finite).all())


def _entirely(case: Case, bench: Bench, suspect: _Suspect) -> bool:
    """Whether a defect gives every quantity as the candidate does, not only the one that is wrong."""
    everything = Symptom("every call", "call")
    return _agree(bench.trial(case, everything), suspect.bench.trial(case, everything), everything)


def _fit(defect: Defect, failing: Sequence[Case]) -> float:
    """How well the region of a defect fits: the cases that fail lie inside; a narrow region says more."""
    legal = [case for case in failing if case.violation is None]
    inside = sum(defect.region.holds(facts(case)) for case in legal)
    return inside / max(1, len(legal)) + 0.001 * len(defect.region.text)
