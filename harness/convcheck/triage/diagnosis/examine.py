"""Examining a cause, within a bounded number of calls: when it fails, which known defect it is, where it is wrong."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from typing import Final

from convcheck.defects import Defect
from convcheck.judging.blocks import generate
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.diagnosis import Diagnosis, FailureCondition, KnownDefectMatch, Localization
from convcheck.model.rules import ALWAYS, facts
from convcheck.model.verdicts import Status
from convcheck.triage.diagnosis.failure_condition import learn
from convcheck.triage.diagnosis.known_defect_match import match_after_setup, match_known_defects
from convcheck.triage.diagnosis.localization import localize
from convcheck.triage.diagnosis.mutations import generator_of, roomier, single_changes, variations
from convcheck.triage.diagnosis.promises import explaining_promise
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import Probe

_SHOWN: Final = 30
"""Failing cases of the campaign that the condition is learnt from: more add hardly any pattern, but time."""

_FOR_THE_RULE: Final = 0.75
"""The share of the calls that are left that learning the condition may take: what else belongs to the cause, and which
known defect it is, takes calls as well."""

_USEFUL: Final = 0.5
"""Precision and recall below which a rule says nothing: a coin would do as well."""

_COMPARED: Final = 8
"""Failing cases of each sort in which known defects are compared with the candidate."""

_POOL: Final = 60
"""Variations, near and far each, among which the cases that tell known defects apart are looked for."""

_NEAR, _FAR = 3, 8
"""Parameters that are changed at once in these."""

_ELSEWHERE: Final = zlib.crc32(b"elsewhere")
"""The seed of cases that are drawn far from any failure; no campaign is likely to have it."""

_NOT_ASKED: Final = FailureCondition(ALWAYS, precision=0.0, recall=0.0, cases=0)
"""What is known of when a failure shows where there are no calls to ask."""

_TOLD: Final = 64
"""Elements beyond which a larger result tells no more about where it is wrong."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found out about one cause.

    Attributes:
        diagnosis: what is reported.
        defect: the first known defect of the diagnosis, to compare other failures with.
        promised: with the promise of the diagnosis; None without one.
    """

    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    defect: Defect | None = None
    promised: Capabilities | None = None

    def with_cross_check(self, words: str) -> Examination:
        """With what the cross-check of the reference says."""
        return replace(self, diagnosis=replace(self.diagnosis, cross_check=words))


def examine(
    probe: Probe, signature: FailureSignature, smallest: Case, alike: Sequence[Case], defects: Sequence[Defect]
) -> Examination:
    """The examination of a failure that repeats.

    Args:
        probe: of the candidate.
        signature: how it fails.
        smallest: the smallest case that does.
        alike: cases of the campaign with the same signature, the simplest first, perhaps of other causes.
        defects: what it may behave like.
    """

    def fails(case: Case) -> bool:
        return probe.failing(case, signature) is not None

    dense = replace(smallest, nonzeros=None)
    base = dense if fails(dense) else smallest
    if smallest.violation is not None:
        same = [c for c in alike if type(c.violation) is type(smallest.violation) and c.flaw == smallest.flaw]
        compared = [c for c in (base, *_as_illegal(base), *same[:_COMPARED]) if fails(c)]
        # a defect that lacks an extension refuses it as well, whatever is wrong with it
        telling = () if signature.kind == Status.WRONGLY_REFUSED else defects
        return _named(probe, signature, compared, [], telling, None)
    base = roomier(base, fails)
    legal = [case for case in alike if case.violation is None]
    asked: dict[bool, list[Case]] = {True: [], False: []}
    verdict = probe.failing(base, signature)
    shown_by = "" if verdict is None else verdict.oracle

    def label(case: Case) -> bool | None:
        found = drawn_label(probe, signature, case, shown_by)
        if found is not None:
            asked[found].append(case)
        return found

    condition = _NOT_ASKED
    if probe.calls_left > 0:
        set_aside = probe.budget.set_aside(int(_FOR_THE_RULE * probe.calls_left))
        condition = learn(base, label, legal[:_SHOWN], can_ask=lambda: probe.calls_left > 0)
        probe.budget.left += set_aside
    inside = [[case for case in cases if condition.rule.holds(facts(case))] for cases in (legal, asked[True])]
    spread = [case for cases in inside for case in cases[:: max(1, len(cases) // _COMPARED)][:_COMPARED]]
    compared = [c for c in (base, smallest, *_seeds(base), *spread) if fails(c)]
    useful = condition.cases > 0 and min(condition.precision, condition.recall) >= _USEFUL
    # making cases takes longer than asking them, so none are made that there are no calls for
    around, elsewhere = (_around(base), _elsewhere(probe, base)) if probe.calls_left > 0 else ([], [])
    promise = explaining_promise(probe, signature, [c for c in compared if c.entry == "function"], elsewhere)
    others = [*asked[False], *around], elsewhere
    found = _named(probe, signature, compared, others, defects, condition if useful else None)
    if promise is None:
        return found
    explaining, promised = promise
    return replace(found, diagnosis=replace(found.diagnosis, promise=explaining), promised=promised)


def examine_with_setup(
    probe: Probe, signature: FailureSignature, setup: Sequence[Case], case: Case, defects: Sequence[Defect]
) -> Examination:
    """The examination of a failure that needs other cases to run before: its known defects."""
    found = match_after_setup(probe, signature, setup, case, defects)
    return Examination(Diagnosis(known_defects=found), _first(found, defects))


def drawn_label(probe: Probe, signature: FailureSignature, case: Case, shown_by: str = "") -> bool | None:
    """Whether a case fails, with one set of values or another: wrong terms cancel now and then."""
    label = None
    for more in range(signature.draws):
        label = probe.label(replace(case, seed=case.seed + more), signature, shown_by)
        if label is not False:
            break
    return label


def _around(base: Case) -> list[Case]:
    rng = generator_of(base)
    near, far = (islice(variations(base, rng, names), _POOL) for names in (_NEAR, _FAR))
    pool = [*single_changes(base), *near, *far]
    return [pool[int(at)] for at in rng.permutation(len(pool))]


def _elsewhere(probe: Probe, base: Case) -> list[Case]:
    """Cases as a campaign draws them: two defects that agree around a case may differ far from it."""
    return [replace(case, entry=base.entry) for case in _drawn(probe.candidate.capabilities)]


@lru_cache(maxsize=4)
def _drawn(capabilities: Capabilities) -> tuple[Case, ...]:
    """The same for every cause of a candidate, of a run of their own: drawing them takes as long as asking them."""
    return tuple(case for case in generate(capabilities, run_seed=_ELSEWHERE, block=1) if case.is_legal_call)


def _named(
    probe: Probe,
    signature: FailureSignature,
    failing: Sequence[Case],
    others: Sequence[Iterable[Case]],
    defects: Sequence[Defect],
    condition: FailureCondition | None,
) -> Examination:
    found = match_known_defects(probe, signature, failing, others, defects)
    diagnosis = Diagnosis(
        failure_condition=condition, known_defects=found, localization=_localized(probe, signature, failing)
    )
    return Examination(diagnosis, _first(found, defects))


def _first(found: Sequence[KnownDefectMatch], defects: Sequence[Defect]) -> Defect | None:
    return next((d for d in defects if found and d.name == found[0].name), None)


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


def _localized(probe: Probe, signature: FailureSignature, failing: Sequence[Case]) -> Localization | None:
    """Where a failing case is wrong: the first that is large enough to show it, else the largest."""
    sizes = [(math.prod(case.output_shape), case) for case in failing if case.violation is None]
    for _, case in sorted(sizes, key=lambda sized: -min(sized[0], _TOLD)):
        verdict = probe.failing(case, signature)
        if verdict is not None:
            return localize(probe.trial(case, signature), verdict)
    return None
