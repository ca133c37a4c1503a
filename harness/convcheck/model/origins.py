"""How the cases of a run come about, each way counted apart."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Origin(StrEnum):
    """How cases come about.

    GIVEN: somebody named them. REMEMBERED: they failed in an earlier run. DRAWN: from the seed alone, half of them
    along a covering array. REACH: layers that cross the thresholds of a ladder, and published ones. SEARCHED:
    Hypothesis searches, steered by what the candidate does. HISTORY: not a case, but calls that a state machine makes.
    LONG_HISTORY: one history for the whole run, of many calls of one candidate that is never restarted. SANITIZED: no
    more cases either, but some of those drawn, run again under a sanitizer.
    """

    GIVEN = "given"
    REMEMBERED = "remembered"
    DRAWN = "drawn"
    REACH = "reach"
    SEARCHED = "searched"
    HISTORY = "histories"
    LONG_HISTORY = "a long history"
    SANITIZED = "sanitized"


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginCount:
    """The cases of one backend that came about in one way.

    Attributes:
        origin: the way.
        cases: how many there were; of histories, the histories; of a long one, its steps; of sanitized ones, those of
            which the sanitizer saw a call.
        failing_cases: how many of them failed, known failures included.
    """

    origin: Origin
    cases: int
    failing_cases: int
