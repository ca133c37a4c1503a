"""Deduplication: which causes are one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from convcheck.model.rules import facts
from convcheck.model.verdicts import Status
from convcheck.oracles import CALL
from convcheck.triage.causes import FEW, MOSTLY, Cause, contradicting
from convcheck.triage.diagnosis.mutations import generator_of, variations
from convcheck.triage.diagnosis.terms import EVERY_PARAMETER
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.priority import Group
from convcheck.triage.probe import Probe

_IMAGINED: Final = 200
"""Cases, near and far each, on which rules are compared: a rule that holds for one case in fifty is met three times
among both with a probability above 0.98."""

_NEAR: Final = 4
"""Parameters that are changed at once in a case that is near."""


def deduplicated(probe: Probe, causes: Sequence[Cause]) -> list[Cause]:
    """The distinct causes; of those that are one, the first with a known defect and no setup cases stands for all."""
    found: list[tuple[int, Cause]] = []
    numbered = sorted(enumerate(causes), key=lambda item: (item[1].examination.defect is None, not _steady(item[1])))
    for number, cause in numbered:
        at = next((at for at, (_, known) in enumerate(found) if _same(probe, known, cause)), None)
        if at is None:
            found.append((number, cause))
        else:
            found[at] = found[at][0], _joined(found[at][1], cause)
    return [cause for _, cause in sorted(found, key=lambda item: item[0])]


def _steady(cause: Cause) -> bool:
    return cause.smallest.steady


def _joined(known: Cause, other: Cause) -> Cause:
    return replace(
        known,
        explains=(*known.explains, *other.explains),
        also=(*known.also, *(s for s in (other.signature, *other.also) if s != known.signature)),
    )


def _same(probe: Probe, a: Cause, b: Cause) -> bool:
    """Whether two causes are one."""
    groups = [Group.of(cause.smallest.first) for cause in (a, b)]
    if a.legal is not b.legal or a.of_state is not b.of_state or groups[0].apart != groups[1].apart:
        return False
    names = [{found.name for found in cause.diagnosis.known_defects} for cause in (a, b)]
    if a.of_state and not all(names):  # what state does to one result of an operation it may do to another
        return _of_one_operation(a, b) and bool(a.smallest.reproduced) is bool(b.smallest.reproduced)
    if all(names):
        return bool(names[0] & names[1])
    if any(names):  # the first of the two: a name is never given to what it does not reproduce
        return not contradicting(probe, b.signature, a, b.explains)
    return _same_condition(a, b)


def _of_one_operation(a: Cause, b: Cause) -> bool:
    ended = CALL in (a.signature.quantity, b.signature.quantity)
    return not ended and a.signature.backward is b.signature.backward


def _implies(narrow: Cause, wide: Cause) -> bool:
    """Whether the condition of one cause holds wherever that of another does, tried on imagined cases."""
    first, second = (cause.diagnosis.failure_condition for cause in (narrow, wide))
    base = narrow.smallest.case
    if first is None or second is None:
        return False
    rng = generator_of(base)
    around = [case for names in (_NEAR, EVERY_PARAMETER) for case in islice(variations(base, rng, names), _IMAGINED)]
    inside = [case for case in around if first.rule.holds(facts(case))]
    return len(inside) >= FEW and all(second.rule.holds(facts(case)) for case in inside)


def _told_by_rule(*signatures: FailureSignature) -> bool:
    """Whether signatures are of one cause if one needs all that the other needs: a crash is not hidden so."""
    return all(s.quantity != CALL or (s.kind == Status.WRONGLY_REFUSED and not s.asked_by) for s in signatures)


def _same_condition(a: Cause, b: Cause) -> bool:
    first, second = (cause.diagnosis.failure_condition for cause in (a, b))
    if first is None or second is None:
        return (a.signature, a.smallest.case.token) == (b.signature, b.smallest.case.token)
    if a.signature == b.signature:  # the later rule may cover the earlier one's failures too
        return b.share_covered(a) >= MOSTLY
    if not first.rule.text or not second.rule.text:
        return False  # "always" says nothing about a cause
    if first.rule == second.rule or (_told_by_rule(a.signature, b.signature) and (_implies(a, b) or _implies(b, a))):
        return True
    enough = min(len(a.explains), len(b.explains)) >= FEW
    return enough and min(a.share_covered(b), b.share_covered(a)) >= MOSTLY
