"""What is guaranteed of the candidate of an untrusted run, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarantee:
    """One thing that an untrusted candidate cannot do, if it holds.

    Attributes:
        name: what it is about.
        what: what is guaranteed.
        holds: whether it is, in this run on this machine.
        by: what sees to it, or why nothing does.
    """

    name: str
    what: str
    holds: bool
    by: str
