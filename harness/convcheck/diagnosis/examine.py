"""Examining a finding: its trigger, its lookalikes and where it is wrong, within a bounded number of calls."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np

from convcheck.case import Case
from convcheck.defects import Defect
from convcheck.diagnosis.lookalike import lookalikes, reproduces
from convcheck.diagnosis.model import Lookalike, Trigger, Whereabouts
from convcheck.diagnosis.neighbourhood import roomier, single_changes, variations
from convcheck.diagnosis.trigger import learn
from convcheck.diagnosis.whereabouts import whereabouts
from convcheck.findings.bench import Bench
from convcheck.findings.symptom import Symptom
from convcheck.rules import facts

__all__ = ["Diagnosis", "examine", "reproduces"]

_SHOWN: Final = 30
"""Failing cases of the campaign that the trigger is learnt from."""
_COMPARED: Final = 5
_POOL: Final = 150
_TOLD: Final = 32 * 32
"""Pixels beyond which a larger result tells no more about where it is wrong."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found out about one cause.

    Attributes:
        trigger: when it fails; None for an illegal case, or where a failure does not repeat.
        lookalikes: the best first.
        defect: of the first lookalike.
        whereabouts: in a telling case.
    """

    trigger: Trigger | None = None
    lookalikes: tuple[Lookalike, ...] = ()
    defect: Defect | None = None
    whereabouts: Whereabouts | None = None


def examine(
    bench: Bench, symptom: Symptom, smallest: Case, alike: Sequence[Case], defects: Sequence[Defect]
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
        return _named(bench, symptom, [c for c in (base, *same[:_COMPARED]) if fails(c)], [], defects, None)
    base = roomier(base, fails)
    legal = [case for case in alike if case.violation is None]
    trigger = learn(base, lambda case: _label(bench, symptom, case), legal[:_SHOWN])
    inside = [case for case in legal if trigger.rule.holds(facts(case))]
    compared = [c for c in (base, *_seeds(base), *inside[:_COMPARED]) if fails(c)]
    rng = np.random.default_rng(zlib.crc32(base.token.encode()))
    others = [*single_changes(base), *islice(variations(base, rng, 4), _POOL)]
    return _named(bench, symptom, compared, others, defects, trigger)


def _named(
    bench: Bench,
    symptom: Symptom,
    failing: Sequence[Case],
    others: Sequence[Case],
    defects: Sequence[Defect],
    trigger: Trigger | None,
) -> Diagnosis:
    found = lookalikes(bench, symptom, failing, others, defects)
    defect = next((d for d in defects if found and d.name == found[0].name), None)
    return Diagnosis(trigger, found, defect, _seen(bench, symptom, failing))


def _label(bench: Bench, symptom: Symptom, case: Case) -> bool | None:
    """Whether a case fails, with one set of values or another: wrong terms cancel now and then."""
    label = bench.label(case, symptom)
    return bench.label(replace(case, seed=case.seed + 1), symptom) if label is False else label


def _seeds(case: Case) -> list[Case]:
    return [replace(case, seed=case.seed + more) for more in (1, 2, 3)]


def _seen(bench: Bench, symptom: Symptom, failing: Sequence[Case]) -> Whereabouts | None:
    """Where the largest of the failing cases is wrong."""
    legal = [case for case in failing if case.violation is None]
    for case in sorted(legal, key=lambda c: -min(_TOLD, c.output_shape[-1] * c.output_shape[-2])):
        verdict = bench.failing(case, symptom)
        if verdict is not None:
            return whereabouts(bench.trial(case, symptom), verdict)
    return None
