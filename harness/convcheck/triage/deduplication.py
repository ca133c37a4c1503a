"""Merging: which causes are one."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import islice
from typing import Final

import numpy as np

from convcheck.model.rules import facts
from convcheck.model.token import read
from convcheck.model.verdicts import Status
from convcheck.triage.causes import FEW, MOSTLY, Cause, contradicting
from convcheck.triage.diagnosis.mutations import variations
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import Bench

_IMAGINED: Final = 200
"""Cases, near and far each, on which rules are compared."""


def merged(bench: Bench, causes: Sequence[Cause]) -> list[Cause]:
    """Causes that are one: the first that has a lookalike, and needs no other case, stands for the rest."""
    found: list[Cause] = []
    for cause in sorted(causes, key=lambda c: (c.diagnosis.defect is None, c.unsteady)):
        known = next((m for m in found if _same(bench, m, cause)), None)
        if known is None:
            found.append(cause)
            continue
        known.explains += cause.explains
        known.untold += cause.untold
        known.also += [s for s in (cause.symptom, *cause.also) if s != known.symptom]
    order = {id(cause): at for at, cause in enumerate(causes)}
    return sorted(found, key=lambda c: order[id(c)])


def _same(bench: Bench, a: Cause, b: Cause) -> bool:
    """Whether two causes are one."""
    if a.legal is not b.legal or a.of_state is not b.of_state:
        return False
    names = [{found.name for found in c.finding.lookalikes} for c in (a, b)]
    if a.of_state and not all(names):  # what state does to one result of an operation it may do to another
        return _of_one_operation(a, b) and bool(a.finding.reproduced) is bool(b.finding.reproduced)
    if all(names):
        return bool(names[0] & names[1])
    if any(names):  # the first of the two: a name is never given to what it does not reproduce
        return not contradicting(bench, b.symptom, a, b.explains)
    return _same_trigger(a, b)


def _of_one_operation(a: Cause, b: Cause) -> bool:
    ended = "call" in (a.symptom.quantity, b.symptom.quantity)
    return not ended and a.symptom.backward is b.symptom.backward


def _implies(narrow: Cause, wide: Cause) -> bool:
    """Whether the trigger of one cause holds wherever that of another does, tried on imagined cases."""
    first, second = (c.diagnosis.trigger for c in (narrow, wide))
    base = read(narrow.finding.token)
    if first is None or second is None:
        return False
    rng = np.random.default_rng(zlib.crc32(narrow.finding.token.encode()))
    around = [case for names in (4, 23) for case in islice(variations(base, rng, names), _IMAGINED)]
    inside = [case for case in around if first.rule.holds(facts(case))]
    return len(inside) >= FEW and all(second.rule.holds(facts(case)) for case in inside)


def _told_by_rule(*symptoms: FailureSignature) -> bool:
    """Whether symptoms are of one cause if that of one needs all that the other's needs: a crash is not hidden so."""
    return all(s.quantity != "call" or s.sort == str(Status.WRONGLY_REFUSED) for s in symptoms)


def _same_trigger(a: Cause, b: Cause) -> bool:
    first, second = (c.diagnosis.trigger for c in (a, b))
    if first is None or second is None:
        return (a.symptom, a.finding.token) == (b.symptom, b.finding.token)
    if a.symptom == b.symptom:  # the later rule may cover the earlier one's failures too
        return b.share_covered(a) >= MOSTLY
    if not first.rule.text or not second.rule.text:
        return False  # "always" says nothing about a cause
    if first.rule == second.rule or (_told_by_rule(a.symptom, b.symptom) and (_implies(a, b) or _implies(b, a))):
        return True
    enough = min(len(a.explains), len(b.explains)) >= FEW
    return enough and min(a.share_covered(b), b.share_covered(a)) >= MOSTLY
