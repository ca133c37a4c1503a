"""Failures of extensions: a cause among the legal layers is behind those whose legal counterparts fail by it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

from convcheck.judging.tally import Failure
from convcheck.model.case import Case
from convcheck.model.extensions import legal_counterparts
from convcheck.model.rules import facts
from convcheck.oracles import CALL, RESULT
from convcheck.triage.causes import Cause, size
from convcheck.triage.failure_signature import FailureSignature
from convcheck.triage.probe import Probe

_CHECKED: Final = 20
"""Failures, the simplest, whose counterparts are called: two each at most."""


def for_legal_causes(
    probe: Probe, signature: FailureSignature, cause: Cause, failures: Sequence[Failure]
) -> list[Failure]:
    """The failures of cases of extensions that a cause found in legal layers accounts for.

    Each is looked at: an extension that is wrong by itself has failures whose counterparts are right.
    """
    if cause.of_state or not _shows_as(signature, cause.signature):
        return []
    return [f for f in islice(sorted(failures, key=size), _CHECKED) if _counterpart_fails(probe, cause, f.case)]


def _shows_as(signature: FailureSignature, legal: FailureSignature) -> bool:
    """Whether what an extension's call came to is what a legal layer's did."""
    if signature.quantity == CALL:
        return signature == legal
    return (legal.kind, legal.quantity) == (RESULT, signature.quantity)


def _counterpart_fails(probe: Probe, cause: Cause, case: Case) -> bool:
    extension = probe.candidate.capabilities.extension_of(case)
    if extension is None:
        return False
    condition = cause.diagnosis.failure_condition
    return any(
        (condition is None or condition.rule.holds(facts(legal))) and probe.failing(legal, cause.signature) is not None
        for legal in legal_counterparts(case, extension)
    )
