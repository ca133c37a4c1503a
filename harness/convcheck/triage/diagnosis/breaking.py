"""Attempts to break a rule: cases drawn where a rule that is nearly right is wrong.

A rule is learnt from cases that are mostly unlike one another, and what it overlooks is what none of them has: a
multiple of the block, an axis with one tap, a kernel as large as its stride. So around cases that fail, cases are made
on purpose that differ from them in one thing only: one condition of the rule, a bound moved by one, a value in another
residue class, one axis made equal to the other or back to plain, another spelling. Half of the attempts lie inside the
rule, where it says that they fail, and half outside.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import chain, islice, zip_longest
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np

from convcheck.model.case import Case
from convcheck.model.rules import Rule, facts
from convcheck.triage.diagnosis.changes import CHOICES, OTHER_VALUES, SAME, SINGLE, Changes, same_image, tied_at
from convcheck.triage.diagnosis.mutations import (
    AXES,
    COUNTS,
    causes_of,
    changes_factoring,
    generator_of,
    resized,
    single_changes,
    variations,
    with_changes,
)
from convcheck.triage.diagnosis.repairs import repaired
from convcheck.triage.diagnosis.rivals import telling_apart
from convcheck.triage.diagnosis.samples import Conjunction, Samples
from convcheck.triage.diagnosis.terms import EVERY_PARAMETER

MOST: Final = 200
"""Attempts that are drawn for one rule."""

_BASES: Final = 6
"""Failing cases around which they are drawn."""

_WITHIN: Final = 20
"""Cases inside the rule that are made plainer in one way: what a rule overlooks is often what all of them have."""

_TIED: Final = (1, 2, 3, 4, 5, 6, 7, 8, 12, 14, 16)
"""Values of a kernel and a stride that are equal, as those of patches are."""

_RANDOM: Final = 120
"""Cases with some parameters changed at random, near and far each, that are looked through for attempts."""

_NEAR: Final = 3
_FLIPS: Final = 8
"""Attempts in which one condition of the rule alone does not hold, for each."""

_NEARBY: Final = 1500
"""Cases near failing ones that are looked through. They are made once, whatever the rule."""

_MADE: Final = 400
"""Cases of each other kind that are looked through: twice as many as can be asked, as making one takes as long as
asking a fast candidate."""

_Making: TypeAlias = Callable[[], Case | None]
"""Makes a case, or None where there is none: most are never looked at, and making one takes longer than drawing it."""

_T = TypeVar("_T")


def attempts(rule: Conjunction, known: Sequence[Case], samples: Samples, rng: np.random.Generator) -> list[Case]:
    """Cases that may show a rule to be wrong, inside and outside of it in turn while there are both.

    Args:
        rule: it holds for some of the known cases.
        known: failing cases, a small one first.
        samples: what has been asked.
        rng: draws them.
    """
    inside = [case for case in known if rule.holds(case)][:_BASES] or list(known[:1])
    inside = list(dict.fromkeys((*inside, *_with_each_value(rule, inside[0], known))))
    around = _some([making for base in inside for making in _around(base)], _NEARBY, rng)
    makings_near = [making for making in around if making() is not None]
    near = [case for case in (making() for making in makings_near) if case is not None]
    within = list(islice((case for case in near if rule.holds(case)), _WITHIN))
    further = (*within[:_BASES], *islice(_flipped(rule, near), _BASES))
    kinds: tuple[Iterable[_Making], ...] = (
        # what differs from the small case in one thing only is what a reader would try first
        (*_each(inside[0], CHOICES), *map(_made, single_changes(inside[0]))),
        [making for base in inside for making in _kept_within(rule, base)],
        map(_made, telling_apart(rule, inside[0], near, rng)),
        chain.from_iterable(map(_plainer, (*inside, *within))),
        chain.from_iterable(map(_respelled, (*inside, *further))),
        chain.from_iterable(_each(base, (*SAME, *same_image(base, _names(rule.rule)))) for base in inside),
        chain.from_iterable(_at_bounds(rule.rule, base) for base in inside[1:]),
        chain.from_iterable(_about(rule.rule, base, rng) for base in inside),
        chain.from_iterable(_each(base, SINGLE) for base in further),
    )
    bounds = list(_at_bounds(rule.rule, inside[0]))  # in order: chance would leave out some
    makings = (bounds, *(_some(list(kind), _MADE, rng) for kind in kinds), makings_near)
    sides: dict[bool, dict[str, Case]] = {True: {}, False: {}}
    wanted = MOST // 2 if rule.parts else MOST
    for making in _in_turn(*makings):
        case = making()
        if case is not None and case not in samples:
            sides[rule.holds(case)].setdefault(case.token, case)
            if len(sides[True]) >= wanted and len(sides[False]) >= (MOST if rule.parts else 0):
                break
    # what the rule rules out by one condition alone tells most about it
    flipped = {case.token for case in _flipped(rule, list(sides[False].values()))}
    outside = sorted(sides[False].values(), key=lambda case: case.token not in flipped)
    if not rule.parts:
        return list(sides[True].values())[:MOST]
    return list(chain.from_iterable(zip(sides[True].values(), outside, strict=False)))[:MOST]


def _with_each_value(rule: Conjunction, base: Case, known: Sequence[Case]) -> list[Case]:
    """A case for each value that a condition allows: it is several conditions in one, and each may want others beside.

    One that is known to fail, else the base with that value.
    """
    found = []
    for name, values in chain.from_iterable(map(_allowed, rule.parts)):
        for value in values:
            failing = (case for case in known if facts(case).get(name) == value and rule.holds(case))
            found.append(next(failing, None) or with_changes(base, {name: value}))
    return [case for case in found if case is not None]


@lru_cache(maxsize=1024)
def _allowed(part: str) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """The parameters of which a condition lists the values that they may have, and these."""
    return tuple(
        (node.left.id, ast.literal_eval(node.comparators[0]))
        for node in ast.walk(ast.parse(part, mode="eval"))
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In) and isinstance(node.left, ast.Name)
    )


class _Once:
    """A making that is done when it is first asked for, and kept."""

    __slots__ = ("_case", "_making")

    def __init__(self, making: _Making) -> None:
        self._making: _Making | None = making

    def __call__(self) -> Case | None:
        if self._making is not None:
            self._case, self._making = self._making(), None
        return self._case


def _itself(case: Case) -> Case:
    return case


def _made(case: Case) -> _Making:
    return partial(_itself, case)


def _changed(base: Case, changes: Mapping[str, Any]) -> _Making:
    return partial(with_changes, base, changes)


def _some(known: Sequence[_T], most: int, rng: np.random.Generator) -> list[_T]:
    return [known[int(at)] for at in rng.permutation(len(known))[:most]]


def _in_turn(*kinds: Sequence[_Making]) -> Iterator[_Making]:
    """One of each kind in turn, while there are any: a kind that has few is not drowned by one that has many."""
    return (making for turn in zip_longest(*kinds) for making in turn if making is not None)


def _plainer(base: Case) -> Iterator[_Making]:
    """One parameter back to its plainest on both axes, or on either."""
    for stem, plainest in (("kernel", 1), ("stride", 1), ("dilation", 1), ("padding", 0)):
        for axes in ("hw", "h", "w"):
            yield _changed(base, {f"{stem}_{axis}": plainest for axis in axes})


@lru_cache(maxsize=4 * _BASES)
def _around(base: Case) -> tuple[_Making, ...]:
    """The neighbourhood of a case, whatever the rule: rules change more often than the cases that they are tried on."""
    rng = generator_of(base)
    makings = list[_Making](map(_Once, (*_each(base, CHOICES), *_each(base, OTHER_VALUES), *_tied(base, _TIED))))
    for names in (_NEAR, EVERY_PARAMETER):
        makings += map(_made, islice(variations(base, rng, names), _RANDOM))
    return (*map(_made, single_changes(base)), *makings)


def _kept_within(rule: Conjunction, base: Case) -> Iterator[_Making]:
    """Single changes by which the rule no longer holds, the rest changed so that it does."""
    for case in single_changes(base):
        if not rule.holds(case):
            yield partial(repaired, case, rule)


def _about(rule: Rule, base: Case, rng: np.random.Generator) -> Iterator[_Making]:
    """What the rule is about, tied to other quantities, and all at once."""
    yield from _tied(base, sorted({*_TIED, *chain.from_iterable(_bounds(rule).values())}))
    if counted := sorted(name for name in _names(rule) if set(causes_of(name)) <= set(COUNTS)):
        yield from map(_made, islice(resized(base, counted, rng), _RANDOM))


def _at_bounds(rule: Rule, base: Case) -> Iterator[_Making]:
    """Every count that the rule speaks of, then every product, on both sides of its bounds, and at their multiples."""
    for names, values in sorted(_bounds(rule).items(), key=lambda bounds: len(bounds[0])):
        for value in sorted(value for value in values if value > 0):
            for changes in changes_factoring(base, names, value):
                yield _changed(base, changes)


def _flipped(rule: Conjunction, cases: Sequence[Case]) -> Iterator[Case]:
    """Cases in which one condition alone does not hold, some for each condition in turn."""
    found = []
    for part in rule.parts:
        rest, condition = rule.without(part), Rule(part)
        found.append(islice((c for c in cases if rest.holds(c) and not condition.holds(facts(c))), _FLIPS))
    return (case for turn in zip_longest(*found) for case in turn if case is not None)


def _respelled(base: Case) -> Iterator[_Making]:
    """Pairs as one number, which takes two that are equal, and the other way round."""
    known = facts(base)
    for stem in ("kernel", "stride", "padding", "dilation"):
        for value in {known[f"{stem}_h"], known[f"{stem}_w"]}:
            for pair in (False, True):
                yield _changed(base, {f"{stem}_h": value, f"{stem}_w": value, f"{stem}_pair": pair})


def _each(base: Case, changes: Changes) -> Iterator[_Making]:
    return (partial(with_changes, base, one) for one in changes)


def _tied(base: Case, values: Sequence[int]) -> Iterator[_Making]:
    """Axes made equal to one another, and kernels to strides, the same on both axes or on one; channels likewise."""
    known = facts(base)
    for stem in AXES:
        for one, other in (("h", "w"), ("w", "h")):
            yield _changed(base, {f"{stem}_{one}": known[f"{stem}_{other}"]})
    for value in (value for value in values if value > 0):
        yield from _each(base, tied_at(value))


@lru_cache(maxsize=256)
def _names(rule: Rule) -> frozenset[str]:
    tree = ast.parse(rule.text or "True", mode="eval")
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


@lru_cache(maxsize=256)
def _bounds(rule: Rule) -> Mapping[tuple[str, ...], frozenset[int]]:
    """By factors, the values at which the truth of a condition changes, those beside them, and their multiples."""
    found: dict[tuple[str, ...], set[int]] = {}
    for node in ast.walk(ast.parse(rule.text or "True", mode="eval")):
        if not isinstance(node, ast.Compare):
            continue
        numbers = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant)]
        for number in (value for value in numbers if isinstance(value, int)):
            for factors in chain.from_iterable(map(_factors, (node.left, *node.comparators))):
                near = (number - 1, number, number + 1, 2 * number, 2 * number + 1, 3 * number)
                found.setdefault(factors, set()).update(near)
    return {factors: frozenset(values) for factors, values in found.items()}


def _factors(side: ast.expr) -> Iterator[tuple[str, ...]]:
    """The counts on one side of a comparison, those that are multiplied by one another together."""
    if isinstance(side, ast.Name):
        yield (side.id,)
    elif isinstance(side, ast.BinOp) and isinstance(side.op, ast.Mult):
        yield tuple(chain(*_factors(side.left), *_factors(side.right)))
    elif isinstance(side, ast.BinOp):
        yield from (*_factors(side.left), *_factors(side.right))
