"""Which cases to ask next, to learn when a case fails: those about which rules disagree, and those at their edges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count, islice
from typing import Final, TypeVar

import numpy as np

from convcheck.model.case import Case
from convcheck.model.rules import Rule, facts
from convcheck.triage.diagnosis.literals import product
from convcheck.triage.diagnosis.mutations import (
    changes_factoring,
    generator_of,
    resized,
    variations,
    with_changes,
)
from convcheck.triage.diagnosis.samples import Conjunction, Label, Labelled, Samples
from convcheck.triage.diagnosis.terms import EVERY_PARAMETER

ROUND: Final = 40
"""Cases of one round of queries, half of them inside a rule and half outside: a rule that is wrong about one in ten
of a side survives twenty of them with a probability of one in eight."""

_POOL: Final = 300
"""Cases among which the telling ones are looked for: making one costs a fraction of asking it."""

_MISSES: Final = 4
"""Cases asked for each condition of a rule, in which only this one does not hold: more than one, because wrong terms
cancel now and then."""

_TRIED: Final = 6
"""Cases that are asked for one answer within a gap."""

_RESIZED: Final = 300
"""Cases among which those near a threshold are looked for."""

_MIDDLES: Final = 20
"""Values about the middle of a gap for which a case is looked for."""

_NEAR: Final = 3
"""Parameters that are changed at once in a case near the base: few, so that most conditions of a rule still hold."""

_AROUND_OTHERS: Final = 4
"""Parameters that are changed at once in a case near another failure."""

_OTHERS: Final = 8
"""Failures besides the base around which cases are varied."""

_T = TypeVar("_T")

_TERM: Final = r"\w+(?: \* \w+)*"
_OUTSIDE: Final = Rule("padding_h >= extent_h or padding_w >= extent_w")


def telling(
    rules: Sequence[Conjunction], known: Sequence[Case], rng: np.random.Generator, samples: Samples
) -> list[Case]:
    """Fresh cases that tell most: half inside the first rule, half outside, disputed ones first.

    Query by committee: Seung, Opper & Sompolinsky 1992.

    Args:
        rules: the committee, the best first.
        known: failing cases, the base first.
        rng: draws the cases.
        samples: what has been asked.
    """
    pool = [case for case in _pool(known, rng) if case not in samples and _plain(case, known[0])]
    about = [facts(case) for case in pool]
    votes = list(zip(*(rule.rule.holding(about) for rule in rules), strict=True))
    ordered = sorted(range(len(pool)), key=lambda at: -min(sum(votes[at]), len(rules) - sum(votes[at])))
    inside = [pool[at] for at in ordered if votes[at][0]]
    outside = [pool[at] for at in ordered if not votes[at][0]]
    return inside[: ROUND // 2] + outside[: ROUND // 2]


def boundaries(found: Conjunction, base: Case, samples: Samples, label: Label, rng: np.random.Generator) -> Labelled:
    """Answers that halve the gap between what passes and what fails, for each threshold of a rule.

    A threshold lies anywhere in that gap as far as the answers go. Between them cases are drawn that differ
    from the base in what the threshold is about, and satisfy the rest of the rule.
    """
    answers: Labelled = []
    for text, limit in re.findall(rf"({_TERM}) > (\d+)", found.rule.text):
        names, low = text.split(" * "), int(limit)
        reached = samples.failing & samples.mask(f"{text} > {limit}")
        high = min((product(one, names) for at, one in enumerate(samples.known) if reached >> at & 1), default=low)
        drawn: dict[int, Case] = {}
        if high - low > 1:
            # what no change of one factor reaches, a change of several may
            drawn = {product(facts(case), names): case for case in islice(resized(base, names, rng), _RESIZED)}
        while answer := _first(samples, label, _between(found, base, names, (low, high), drawn)):
            samples.add(answer)
            answers += answer
            ((case, fails),) = answer
            middle = product(facts(case), names)
            low, high = (low, middle) if fails else (middle, high)
    return answers


def _first(samples: Samples, label: Label, cases: Iterable[Case]) -> Labelled:
    """The first answer: a case whose sums are mostly of zeros has none."""
    for case in islice(cases, _TRIED):
        if answer := samples.ask([case], label):
            return answer
    return []


def _between(
    found: Conjunction, base: Case, names: Sequence[str], gap: tuple[int, int], drawn: Mapping[int, Case]
) -> Iterator[Case]:
    """Cases within the rule and a gap, those about in its middle first."""
    low, high = gap
    for value in sorted(range(low + 1, high), key=lambda value: abs(2 * value - low - high))[:_MIDDLES]:
        made = (with_changes(base, changes) for changes in changes_factoring(base, names, value))
        for case in (*made, drawn.get(value)):
            if case is not None and product(facts(case), names) == value and found.holds(case):
                yield case
    within = [value for value, case in drawn.items() if low < value < high and found.holds(case)]
    yield from (drawn[value] for value in sorted(within, key=lambda value: abs(2 * value - low - high)))


def near_misses(found: Conjunction, base: Case, samples: Samples, label: Label) -> Labelled:
    """Answers for cases that a rule only just leaves out: all its conditions hold but one."""
    answers: Labelled = []
    near = _nearby(base)
    for part in found.parts:
        rest, condition = found.without(part), Rule(part)
        missed = (c for c in near if c not in samples and rest.holds(c) and not condition.holds(facts(c)))
        answer = samples.ask(list(islice(missed, _MISSES)), label)
        samples.add(answer)
        answers += answer
    return answers


@lru_cache(maxsize=8)
def _nearby(base: Case) -> Iterable[Case]:
    """Cases near one, made once and as far as they are looked at: they are asked for with every rule."""
    near = islice(variations(base, generator_of(base), _NEAR), 2 * _POOL)
    return _Kept(case for case in near if _plain(case, base))


class _Kept(Iterable[_T]):
    """What comes of an iterator, which is asked once for each, whoever looks at them."""

    def __init__(self, source: Iterator[_T]) -> None:
        self._source = source
        self._known: list[_T] = []

    def __iter__(self) -> Iterator[_T]:
        for at in count():
            if at == len(self._known):
                following = list(islice(self._source, 1))
                if not following:
                    return
                self._known += following
            yield self._known[at]


def _pool(known: Sequence[Case], rng: np.random.Generator) -> list[Case]:
    """Near and far variations of the known failing cases, the first of them most."""
    third = _POOL // 3
    cases = [case for names in (_NEAR, EVERY_PARAMETER) for case in islice(variations(known[0], rng, names), third)]
    others = known[1 : 1 + _OTHERS] or known[:1]
    for case in others:
        cases += islice(variations(case, rng, _AROUND_OTHERS), third // len(others))
    order = rng.permutation(len(cases))
    return [cases[int(at)] for at in order]


def _plain(case: Case, base: Case) -> bool:
    """Whether every window reads the image, unless some of the base's do not: sums of zeros are right by accident."""
    return _OUTSIDE.holds(facts(base)) or not _OUTSIDE.holds(facts(case))
