"""Rivals of a rule: one of its counts replaced by another that mostly has the same value, or is of the same kind.

Channels and channels of a group are one number without groups, the kernel and its extent without dilation, and what is
said of height may be meant of width. Cases that both rules see alike do not tell which is meant, and without care
nearly all are such.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

import numpy as np

from convcheck.model.case import Case
from convcheck.model.rules import facts
from convcheck.triage.diagnosis.mutations import resized
from convcheck.triage.diagnosis.samples import Conjunction

_ALIKE: Final = (
    ("in_channels", "in_per_group"), ("out_channels", "out_per_group"),
    ("in_channels", "out_channels"), ("in_per_group", "out_per_group"),
    *(pair for axis, size, pad in (("h", "height", "bottom"), ("w", "width", "right")) for pair in (
        (size, f"output_{axis}"), (f"kernel_{axis}", f"extent_{axis}"), (f"padding_{axis}", f"pad_{pad}"),
    )),
    ("height", "width"),
    *((f"{stem}_h", f"{stem}_w") for stem in ("output", "kernel", "extent", "stride", "dilation", "padding")),
)  # fmt: skip

_DRAWN: Final = 200
"""Cases among which those are looked for that tell a rule from its rivals."""

_EACH: Final = 4
"""Cases that tell it from one of them, on either side."""


def rivals(rule: Conjunction) -> Iterator[Conjunction]:
    """The rules in which one count of one condition is another."""
    for at, part in enumerate(rule.parts):
        for pair in _ALIKE:
            for one, other in (pair, pair[::-1]):
                changed = re.sub(rf"\b{one}\b", other, part)
                if changed != part:
                    yield Conjunction((*rule.parts[:at], changed, *rule.parts[at + 1 :]))


def telling_apart(rule: Conjunction, base: Case, near: Sequence[Case], rng: np.random.Generator) -> Iterator[Case]:
    """Cases for which a rule holds and a rival of it does not, or the other way round.

    Args:
        rule: it holds for the base.
        base: a failing case.
        near: cases near it, which are looked through first.
        rng: draws others, in which the counts of both differ.
    """
    possible = [rival for rival in rivals(rule) if rival.holds(base)]
    words = {word for rival in (rule, *possible) for word in re.findall(r"\w+", rival.rule.text)}
    counts = sorted(word for word in words if any(word in pair for pair in _ALIKE))
    drawn = islice(resized(base, counts, rng), _DRAWN if counts else 0)
    cases = [*near, *drawn]
    known = [facts(case) for case in cases]
    inside = list(rule.rule.holding(known))
    for rival in possible:
        its = list(rival.rule.holding(known))
        for side in (True, False):
            yield from islice(
                (c for c, mine, other in zip(cases, inside, its, strict=True) if mine is side is not other), _EACH
            )
