"""Whether a promise that was not made explains all failures of a finding, on its own cases and on fresh ones.

The same outcomes are judged again under what fits them (`convcheck.triage.promise_fitting`), then the candidate is
asked again under it, with the data that it calls for. One case that fails under it, or failing ones that could no
longer tell right from wrong, and there is no such promise: a defect stays a defect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Final

from convcheck.execution import PromisingCandidate
from convcheck.model.capabilities import Capabilities, declaration
from convcheck.model.case import Case
from convcheck.model.diagnosis import ExplainingPromise
from convcheck.model.levels import Level
from convcheck.model.profiles import QUANTITIES, Quantity
from convcheck.model.verdicts import FAILURES, Status
from convcheck.oracles import PRECISION, RESULT, Trial, judge
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import Probe, oracles_showing
from convcheck.triage.promise_fitting import Fit, Results, fit, kind_of, promising

_FAILING: Final = 12
_FRESH: Final = 40
"""Cases that a promise is put to: more would take calls that learning the failure condition needs."""

_ROUNDS: Final = 3
"""Times that a promise is fitted anew to what contradicted it."""

_TELLING: Final = 0.5
"""Share of the failing cases that have to be able to tell right from wrong under the promise."""


def explaining_promise(
    probe: Probe, signature: FailureSignature, failing: Sequence[Case], fresh: Iterable[Case]
) -> tuple[ExplainingPromise, Capabilities] | None:
    """The tightest promise that explains every failure, and what is promised then; None if none does.

    Args:
        probe: of the candidate.
        signature: how the cases fail.
        failing: cases that do.
        fresh: others.
    """
    quantity = next((q for q in QUANTITIES if q == signature.quantity), None)
    dtypes = {case.dtype for case in failing}
    if quantity is None or not failing or probe.calls_left <= 0:
        return None
    cases = failing[:_FAILING]
    results = {dtype: _results(probe, signature, quantity, dtype, cases) for dtype in sorted(dtypes)}
    if _fitted(results) is None:
        return None  # known before a fresh case is asked for
    others = tuple(islice((c for c in fresh if c.dtype in dtypes and c.is_legal_call), _FRESH))
    for case in others:
        results[case.dtype].passing.append(probe.trial(case, _asking(signature)).lean())
    for _ in range(_ROUNDS):
        fits = _fitted(results)
        if fits is None or probe.calls_left <= 0:
            return None
        profiles = {key: p for dtype, found in fits.items() for key, p in found.profiles(dtype, quantity).items()}
        promised = promising(probe.candidate.capabilities, profiles)
        against, telling = _asked(probe, promised, signature, quantity, cases, others)
        if not against:
            words = "; ".join(dict.fromkeys(found.words for found in fits.values()))
            level = _level(probe.candidate.capabilities, quantity, fits)
            explained = ExplainingPromise(words, declaration(profiles), len(cases), len(others), level)
            return (explained, promised) if telling >= _TELLING * len(cases) else None
        for trial in against:
            results[trial.case.dtype].failing.append(trial)
    return None


def kept(probe: Probe, promised: Capabilities, signature: FailureSignature, case: Case) -> bool:
    """Whether the results of a case keep what is promised, asked for with the data that this calls for."""
    quantity = next(q for q in QUANTITIES if q == signature.quantity)
    against, _ = _asked(probe, promised, signature, quantity, [case], [])
    return not against


def _level(capabilities: Capabilities, quantity: Quantity, fits: Mapping[str, Fit]) -> Level:
    """What is given up by what fits in place of what is declared."""
    changed = {
        name
        for dtype, fitted in fits.items()
        for profile in fitted.profiles(dtype, quantity).values()
        for name in profile.differences(capabilities.profile(dtype, quantity))
    }
    if changed <= {"flushes_subnormals", "spreads_nan"}:
        return Level.IEEE
    return Level.STATE if changed == {"repeatable"} else Level.PRECISION


def _fitted(results: Mapping[str, Results]) -> dict[str, Fit] | None:
    """By dtype what fits the results; None unless something does in all of them, and gives up something."""
    fits: dict[str, Fit] = {}
    for dtype, found in results.items():
        fits_here = fit(found)
        if fits_here is None or not fits_here.words:
            return None
        fits[dtype] = fits_here
    return fits


def _asking(signature: FailureSignature) -> FailureSignature:
    """What asks for the integers and the reals alike, for failures that show in either."""
    return FailureSignature(PRECISION, signature.quantity) if signature.kind == RESULT else signature


def _results(
    probe: Probe, signature: FailureSignature, quantity: Quantity, dtype: str, failing: Sequence[Case]
) -> Results:
    """The failing results of one dtype, under what the candidate declares; others are added as they come."""
    made = [probe.trial(case, _asking(signature)) for case in failing if case.dtype == dtype]
    return Results(probe.candidate.capabilities, dtype, quantity, made, [], _kinds(signature))


def _kinds(signature: FailureSignature) -> frozenset[str]:
    """The kinds of failures, as `kind_of` has them, that show a signature."""
    return frozenset({RESULT if signature.kind == PRECISION else signature.kind})


def _asked(
    probe: Probe,
    promised: Capabilities,
    signature: FailureSignature,
    quantity: Quantity,
    failing: Sequence[Case],
    fresh: Sequence[Case],
) -> tuple[list[Trial], int]:
    """The trials under a promise that contradict it, and how many of the failing cases can tell right from wrong."""
    asking = _asking(signature)
    under = Probe(PromisingCandidate(probe.candidate, promised), budget=probe.budget)
    kinds, against, telling = _kinds(signature), [], 0
    for at, case in enumerate((*failing, *fresh)):
        trial = under.trial(case, asking)
        verdicts = judge(trial, oracles_showing(case, asking))
        about = [v for v in verdicts if v.quantity == quantity]
        # what fails in another way has a cause and a promise of its own
        if any(v.status in FAILURES and kind_of(v) in kinds for v in about):
            against.append(trial.lean())
        telling += at < len(failing) and any(v.status is Status.PASS for v in about)
    return against, telling
