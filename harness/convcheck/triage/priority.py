"""Priority: the order in which failure signatures are looked at, so that what others follow from comes first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from convcheck.judging.judge import Failure
from convcheck.oracles import PRECISION, RESULT, Priority
from convcheck.triage.failure_signature import FailureSignature

_LACKING: Final = 0.1
"""Cases wrong on reals only, for each that is wrong on integers, from which on precision is looked at first.

A wrong index is wrong on integers wherever it is wrong on reals, but for elements that are not judged there; one in
ten leaves room for these.
"""


def in_order(by_signature: Mapping[FailureSignature, Sequence[Failure]]) -> list[FailureSignature]:
    """The signatures in the order in which they are looked at.

    Where many cases are wrong on reals only, it is precision that lacks, and some integers were too long for what
    is left of it.
    """

    def turn(signature: FailureSignature) -> tuple[Priority, bool]:
        asker = signature.asker
        priority = signature.priority if asker is None else asker.priority
        if signature.of_output:
            priority = Priority.OUTPUT
        if signature.kind == RESULT:
            on_reals = by_signature.get(replace(signature, kind=PRECISION), ())
            if len(on_reals) >= _LACKING * len(by_signature[signature]):
                priority = Priority.IMPRECISE_RESULTS
        return priority, signature.backward

    return sorted(by_signature, key=turn)


def may_follow(signature: FailureSignature, other: FailureSignature) -> bool:
    """Whether failures of one kind may follow from those of another: they are looked at later."""
    return signature.priority > other.priority
