"""Examining a finding: its trigger, its lookalikes and where it is wrong, within a bounded number of calls."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np

from convcheck.defects import Defect
from convcheck.judging.blocks import generate
from convcheck.model.case import Case
from convcheck.model.diagnosis import FailureCondition, KnownDefectMatch, Localization
from convcheck.model.rules import facts
from convcheck.triage.diagnosis.failure_condition import learn
from convcheck.triage.diagnosis.known_defect_match import lookalikes, matches_with_setup, reproduces
from convcheck.triage.diagnosis.localization import whereabouts
from convcheck.triage.diagnosis.mutations import roomier, single_changes, variations
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import Bench

__all__ = ["Diagnosis", "drawn_label", "examine", "examine_with_history", "reproduces"]

_SHOWN: Final = 30
"""Failing cases of the campaign that the trigger is learnt from."""
_DRAWS: Final = {"special": 12}
"""Draws of the values before a case is said to pass: special ones are few, and not everywhere."""
_USEFUL: Final = 0.5
"""Precision and recall below which a rule says nothing."""
_COMPARED: Final = 8
_POOL: Final = 60
_TOLD: Final = 64
"""Elements beyond which a larger result tells no more about where it is wrong."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found out about one cause.

    Attributes:
        trigger: when it fails; None for an illegal case, or where a failure does not repeat.
        lookalikes: the best first.
        defect: of the first lookalike.
        whereabouts: in a telling case.
    """

    trigger: FailureCondition | None = None
    lookalikes: tuple[KnownDefectMatch, ...] = ()
    defect: Defect | None = None
    whereabouts: Localization | None = None


def examine(
    bench: Bench, symptom: FailureSignature, smallest: Case, alike: Sequence[Case], defects: Sequence[Defect]
) -> Diagnosis:
    """The diagnosis of a failure that repeats.

    Args:
        bench: of the candidate.
        symptom: how it fails.
        smallest: the smallest case that does.
        alike: cases of the campaign with the same symptom, the simplest first, perhaps of other causes.
        defects: what it may behave like.
    """

    def fails(case: Case) -> bool:
        return bench.failing(case, symptom) is not None

    dense = replace(smallest, nonzeros=None)
    base = dense if fails(dense) else smallest
    if smallest.violation is not None:
        same = [c for c in alike if type(c.violation) is type(smallest.violation) and c.flaw == smallest.flaw]
        compared = [c for c in (base, *_as_illegal(base), *same[:_COMPARED]) if fails(c)]
        return _named(bench, symptom, compared, [], defects, None)
    base = roomier(base, fails)
    legal = [case for case in alike if case.violation is None]
    asked: dict[bool, list[Case]] = {True: [], False: []}

    def label(case: Case) -> bool | None:
        found = drawn_label(bench, symptom, case)
        if found is not None:
            asked[found].append(case)
        return found

    trigger = learn(base, label, legal[:_SHOWN])
    inside = [[case for case in cases if trigger.rule.holds(facts(case))] for cases in (legal, asked[True])]
    spread = [case for cases in inside for case in cases[:: max(1, len(cases) // _COMPARED)][:_COMPARED]]
    compared = [c for c in (base, smallest, *_seeds(base), *spread) if fails(c)]
    useful = trigger.cases > 0 and min(trigger.precision, trigger.recall) >= _USEFUL
    others = [*asked[False], *_around(base)], _elsewhere(bench, base)
    return _named(bench, symptom, compared, others, defects, trigger if useful else None)


def _around(base: Case) -> list[Case]:
    rng = np.random.default_rng(zlib.crc32(base.token.encode()))
    near, far = (islice(variations(base, rng, names), _POOL) for names in (3, 8))
    pool = [*single_changes(base), *near, *far]
    return [pool[int(at)] for at in rng.permutation(len(pool))]


def _elsewhere(bench: Bench, base: Case) -> list[Case]:
    """Cases as a campaign draws them: two defects that agree around a case may differ far from it."""
    seed = zlib.crc32(base.token.encode())
    drawn = generate(bench.candidate.capabilities, run_seed=seed, block=1)
    return [replace(c, entry=base.entry) for c in drawn if c.violation is None and c.entry == "function"]


def examine_with_history(
    bench: Bench, symptom: FailureSignature, before: Sequence[Case], case: Case, defects: Sequence[Defect]
) -> Diagnosis:
    """The diagnosis of a failure that needs other cases to run before: its lookalikes."""
    found = matches_with_setup(bench, symptom, before, case, defects)
    return Diagnosis(lookalikes=found, defect=_first(found, defects))


def _first(found: Sequence[KnownDefectMatch], defects: Sequence[Defect]) -> Defect | None:
    return next((d for d in defects if found and d.name == found[0].name), None)


def _named(
    bench: Bench,
    symptom: FailureSignature,
    failing: Sequence[Case],
    others: Sequence[Iterable[Case]],
    defects: Sequence[Defect],
    trigger: FailureCondition | None,
) -> Diagnosis:
    found = lookalikes(bench, symptom, failing, others, defects)
    return Diagnosis(trigger, found, _first(found, defects), _seen(bench, symptom, failing))


def drawn_label(bench: Bench, symptom: FailureSignature, case: Case) -> bool | None:
    """Whether a case fails, with one set of values or another: wrong terms cancel now and then."""
    label = None
    for more in range(_DRAWS.get(symptom.sort, 2)):
        label = bench.label(replace(case, seed=case.seed + more), symptom)
        if label is not False:
            break
    return label


def _seeds(case: Case) -> list[Case]:
    return [replace(case, seed=case.seed + more) for more in (1, 2, 3)]


def _as_illegal(case: Case) -> list[Case]:
    """Cases that are illegal for the same reason: other data, another dtype, larger images."""
    *others, height, width = case.input_shape
    changed = [
        *_seeds(case),
        replace(case, dtype="float64"),
        replace(case, input_shape=(*others, height + 1, width)),
        replace(case, input_shape=(*others, height + 1, width + 2)),
    ]
    return [c for c in changed if type(c.violation) is type(case.violation)]


def _seen(bench: Bench, symptom: FailureSignature, failing: Sequence[Case]) -> Localization | None:
    """Where a failing case is wrong: the first that is large enough to show it, else the largest."""
    sizes = [(math.prod(case.output_shape), case) for case in failing if case.violation is None]
    for _, case in sorted(sizes, key=lambda sized: -min(sized[0], _TOLD)):
        verdict = bench.failing(case, symptom)
        if verdict is not None:
            return whereabouts(bench.trial(case, symptom), verdict)
    return None
