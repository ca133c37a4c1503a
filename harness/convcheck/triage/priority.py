"""Turns: the order in which symptoms are looked at, so that what others follow from comes first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from convcheck.judging.judge import Failure
from convcheck.oracles import ORACLES
from convcheck.triage.failure_signature import PRECISION, RESULT, FailureSignature

OF_THEIR_OWN: Final = {oracle.name: oracle for oracle in ORACLES if oracle.every > 1}
"""Oracles that make calls besides those of every case."""

_LATE: Final = {PRECISION: 3, "special": 5, "module": 6, **dict.fromkeys(OF_THEIR_OWN, 7)}
"""What may follow from a wrong result on integers, or on reals: looked at after these."""
_USUAL: Final = 2

_LACKING: Final = 0.1
"""Cases wrong on reals only, for each that is wrong on integers, from which on precision is looked at first."""


def in_turn(by_symptom: Mapping[FailureSignature, Sequence[Failure]]) -> list[FailureSignature]:
    """The order in which symptoms are looked at: a wrong output has more consequences than anything else.

    A wrong index shows on integers wherever it shows on reals. Where many cases are wrong on reals only, it
    is precision that lacks, and some integers were too long for what is left of it.
    """

    def turn(symptom: FailureSignature) -> tuple[int, bool]:
        late = 1 if symptom.of_output else _LATE.get(asker(symptom) or symptom.sort, _USUAL)
        if symptom.sort == RESULT:
            on_reals = by_symptom.get(replace(symptom, sort=PRECISION), ())
            late = late if len(on_reals) < _LACKING * len(by_symptom[symptom]) else _LATE[PRECISION] + 1
        return late, symptom.backward

    return sorted(by_symptom, key=turn)


def asker(symptom: FailureSignature) -> str:
    """The oracle without whose calls there would be no such symptom; empty if there is none."""
    first = symptom.sort.split(" ")[0]
    return first if first in OF_THEIR_OWN else ""


def later(symptom: FailureSignature, other: FailureSignature) -> bool:
    """Whether a symptom is of a sort that may follow from that of another."""
    return _LATE.get(symptom.sort, _USUAL) > _LATE.get(other.sort, _USUAL)
