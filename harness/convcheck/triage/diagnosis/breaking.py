"""Attempts to break a rule: cases drawn where a rule that is nearly right is wrong.

A rule is learnt from cases that are mostly unlike one another, and what it overlooks is what none of them has: a
multiple of the block, an axis with one tap, a kernel as large as its stride. So around cases that fail, cases are made
on purpose that differ from them in one thing only: one condition of the rule, a bound moved by one, a value in another
residue class, one axis made equal to the other or back to plain, another spelling. Half of the attempts lie inside the
rule, where it says that they fail, and half outside.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, Final

import numpy as np

from convcheck.model.case import Case
from convcheck.model.rules import Rule, facts
from convcheck.triage.diagnosis.mutations import (
    AXES,
    COUNTS,
    EVERY_PARAMETER,
    VALUES,
    causes_of,
    changed,
    resized,
    single_changes,
    variations,
    with_changes,
)
from convcheck.triage.diagnosis.samples import Conjunction, Samples

MOST: Final = 200
"""Attempts that are drawn for one rule."""

_BASES: Final = 6
"""Failing cases around which they are drawn."""

_EDGES: Final = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15, 16, 17, 24, 25, 31, 32, 33)
"""Values of counts on both sides of the sizes of blocks, and between them."""

_TIED: Final = (1, 2, 3, 4, 5, 6, 7, 8, 12, 14, 16)
"""Values of a kernel and a stride that are equal, as those of patches are."""

_RANDOM: Final = 120
"""Cases with some parameters changed at random, near and far each, that are looked through for attempts."""

_NEAR: Final = 3
_FLIPS: Final = 8
"""Attempts in which one condition of the rule alone does not hold, for each."""

_EVERY_FLIP: Final = 2
"""One in so many of these has its own surroundings looked at: a rule that says too little is wrong out there."""


def attempts(rule: Conjunction, known: Sequence[Case], samples: Samples, rng: np.random.Generator) -> list[Case]:
    """Cases that may show a rule to be wrong, inside and outside of it in turn while there are both.

    Args:
        rule: it holds for some of the known cases.
        known: failing cases, a small one first.
        samples: what has been asked.
        rng: draws them.
    """
    inside = [case for case in known if rule.holds(case)][:_BASES] or list(known[:1])
    near = [case for base in inside for case in _around(rule, base, rng)]
    beyond = list(_flipped(rule, near))[::_EVERY_FLIP][:_BASES]
    near += [case for base in beyond for case in single_changes(base)]
    found = {case.token: case for case in near if case not in samples}
    cases = list(found.values())
    order = [cases[int(at)] for at in rng.permutation(len(cases))]
    # what differs from the small case in one thing only is what a reader would try first
    single = {case.token for case in (*_choices(inside[0]), *single_changes(inside[0]))}
    order.sort(key=lambda case: case.token not in single)
    sides = [[case for case in order if rule.holds(case) is holds] for holds in (True, False)]
    # what the rule rules out by one condition alone tells most about it
    flipped = {case.token for case in _flipped(rule, order)}
    sides[1].sort(key=lambda case: case.token not in flipped)
    if not rule.parts:
        return sides[0][:MOST]
    return list(chain.from_iterable(zip(*sides, strict=False)))[:MOST]


def _around(rule: Conjunction, base: Case, rng: np.random.Generator) -> Iterator[Case]:
    yield from single_changes(base)
    yield from _choices(base)
    yield from _respelled(base)
    yield from _other_values(base)
    bounds = _bounds(rule.rule)
    yield from _tied(base, sorted({*_TIED, *chain.from_iterable(bounds.values())}))
    for name, values in bounds.items():
        yield from _with_values(base, name, sorted(values), rng)
    if counted := sorted(name for name in _names(rule.rule) if set(causes_of(name)) <= set(COUNTS)):
        yield from islice(resized(base, counted, rng), _RANDOM)  # what it is about, at once
    for names in (_NEAR, EVERY_PARAMETER):
        yield from islice(variations(base, rng, names), _RANDOM)


def _flipped(rule: Conjunction, cases: Sequence[Case]) -> Iterator[Case]:
    """Cases in which one condition alone does not hold."""
    for part in rule.parts:
        rest, condition = rule.without(part), Rule(part)
        yield from islice((c for c in cases if rest.holds(c) and not condition.holds(facts(c))), _FLIPS)


def _respelled(base: Case) -> Iterator[Case]:
    """Pairs as one number, which takes two that are equal, and the other way round."""
    known = facts(base)
    for stem in ("kernel", "stride", "padding", "dilation"):
        for value in {known[f"{stem}_h"], known[f"{stem}_w"]}:
            for pair in (False, True):
                yield from _legal([with_changes(base, {f"{stem}_h": value, f"{stem}_w": value, f"{stem}_pair": pair})])


def _choices(base: Case) -> Iterator[Case]:
    """Each parameter that is no count with every value that it may have."""
    return _legal(
        changed(base, name, value)
        for name, values in VALUES.items()
        if name not in COUNTS
        for value in dict.fromkeys(values)
    )


def _legal(found: Iterable[Case | None]) -> Iterator[Case]:
    return (case for case in found if case is not None)


def _other_values(base: Case) -> Iterator[Case]:
    """Each count with values in every residue class of the usual blocks."""
    return _legal(changed(base, name, value) for name in COUNTS for value in _EDGES)


def _tied(base: Case, values: Sequence[int]) -> Iterator[Case]:
    """Axes made equal to one another, and kernels to strides, the same on both axes or on one; channels likewise."""
    known = facts(base)
    for stem in AXES:
        for one, other in (("h", "w"), ("w", "h")):
            yield from _legal([changed(base, f"{stem}_{one}", known[f"{stem}_{other}"])])
    for value in (value for value in values if value > 0):
        yield from _legal([with_changes(base, {"in_per_group": value, "out_per_group": value})])
        for axes in ("h", "w", "hw"):
            patches = {f"{stem}_{axis}": value for stem in ("kernel", "stride") for axis in axes}
            yield from _legal([with_changes(base, patches)])
        for stem in ("kernel", "stride", "dilation"):
            yield from _legal([with_changes(base, {f"{stem}_h": value, f"{stem}_w": value})])


def _names(rule: Rule) -> set[str]:
    tree = ast.parse(rule.text or "True", mode="eval")
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _bounds(rule: Rule) -> Mapping[str, set[int]]:
    """By count, the values at which the truth of a condition changes, those beside them, and their multiples."""
    found: dict[str, set[int]] = {}
    for node in ast.walk(ast.parse(rule.text or "True", mode="eval")):
        if not isinstance(node, ast.Compare):
            continue
        names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
        numbers = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant)]
        for number in (value for value in numbers if isinstance(value, int)):
            for name in names:
                near = (number - 1, number, number + 1, 2 * number, 2 * number + 1, 3 * number)
                found.setdefault(name, set()).update(near)
    return found


def _with_values(base: Case, name: str, values: Sequence[int], rng: np.random.Generator) -> Iterator[Case]:
    """Cases whose count has one of some values: set, or where it follows from others, met by changing those."""
    if causes_of(name) == (name,):
        yield from _legal(changed(base, name, value) for value in values if value > 0)
        return
    wanted: Any = set(values)
    yield from (case for case in islice(resized(base, [name], rng), _RANDOM) if facts(case)[name] in wanted)
