"""The search for a rule: the cheapest conjunction of literals that explains what is known.

A beam search for the shortest conjunction that no passing case satisfies (that of CN2, Clark & Niblett 1989, and of
RIPPER, Cohen 1995, with full precision asked for).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from convcheck.model.rules import Facts
from convcheck.triage.diagnosis.literals import Literal, literals
from convcheck.triage.diagnosis.samples import Conjunction, Samples


@dataclass(frozen=True, slots=True)
class Price:
    """What a rule costs, in passing cases that it lets in.

    Attributes:
        length: of a plain literal, as many as it must rule out to be worth it.
        lost: of a failing case that is left out: less than one, as it may have another cause; more than a literal, or
            every rule would be cut down to the commonest failures.
        growth: the power by which that grows with their number.
    """

    length: float
    lost: float
    growth: float


EXACT: Final = Price(length=0.5, lost=0.6, growth=0.75)
"""Of rules that are to explain everything. One case may be chance, but half a case keeps a literal that rules out a
single one; many failures that are left out have other causes, and the more there are, the less each says."""

AMONG_ACCIDENTS: Final = Price(length=3.0, lost=0.6, growth=1.0)
"""Where some cases pass by accident. Of some 700 literals one is named in 9.5 bits, and which cases are exceptions,
where one in eight is, in 3 bits each (minimum description length, Rissanen 1978)."""

_BEAM: Final = 64
"""Conjunctions of one length that are kept: the work grows with their number times that of the literals."""

_FAITHFUL: Final = 32
"""Conjunctions of one length that are kept besides because they leave out the fewest failures: of several conditions
that are all needed each lets in much, and narrow ones that hold by accident would crowd them out."""

_DEEPEST: Final = 5
"""Literals of the longest rule: people do not read longer ones, and the data do not tell them apart."""

_COMMITTEE: Final = 6
"""Rules that are kept beside the best, to find cases about which they disagree."""

_SYNONYMS: Final = 3
"""Literals that hold for the same cases so far, by which one of the best rule is replaced in the committee."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A conjunction: what it costs, its length, where it holds, and the masks that it is made of."""

    cost: float
    length: float
    mask: int
    chosen: tuple[int, ...]


def search_rules(base: Facts, samples: Samples, price: Price = EXACT) -> list[Conjunction]:
    """The best rule that holds for `base`, then others that are nearly as good on what is known.

    Args:
        base: of a failing case, the first of the samples.
        samples: what is known.
        price: of a rule.
    """
    by_mask: dict[int, list[Literal]] = {}
    for literal in literals(base, samples.known):
        mask = samples.mask(literal.text)
        if mask & 1 and samples.passing & ~mask:  # it holds for the base and rules something out
            by_mask.setdefault(mask, []).append(literal)
    for same in by_mask.values():
        same.sort(key=lambda literal: literal.weight)
    ranked = _search({mask: same[0].weight for mask, same in by_mask.items()}, samples, price)
    best = ranked[0][0]
    chosen = [masks for cost, masks in ranked[:_COMMITTEE] if cost < best + 2 * price.length]
    rules = [Conjunction(tuple(by_mask[mask][0].text for mask in masks)) for masks in chosen]
    return rules + list(_with_synonyms(chosen[0], by_mask))


def _search(weights: Mapping[int, float], samples: Samples, price: Price) -> list[tuple[float, tuple[int, ...]]]:
    """Conjunctions of masks by cost: passing cases let in, failing ones left out, and length.

    Of conjunctions of so many literals that hold for the same cases, the shortest is kept.
    """
    count = len(samples.known)
    failing = _bits([samples.failing], count)[0] > 0
    masks, literals = list(weights), _bits(list(weights), count)
    lengths = np.array([weights[mask] for mask in masks])
    everything = samples.failing | samples.passing
    beam = [_Found(float(np.count_nonzero(~failing)), 0.0, everything, ())]
    done = list(beam)
    for _ in range(_DEEPEST):
        if not masks:
            break
        kept = _bits([found.mask for found in beam], count)
        # by conjunction and literal: how many passing cases are let in, and how many failing ones are left out
        let_in = kept[:, ~failing] @ literals[:, ~failing].T
        lost = np.count_nonzero(failing) - kept[:, failing] @ literals[:, failing].T
        longer = np.array([found.length for found in beam])[:, None] + lengths
        cost = let_in + price.lost * lost.astype(float) ** price.growth + price.length * longer
        grown = np.flatnonzero(let_in < kept[:, ~failing].sum(axis=1, keepdims=True))
        by_cost = grown[np.argsort(cost.flat[grown], kind="stable")]
        by_lost = by_cost[np.argsort(lost.flat[by_cost], kind="stable")]

        best = _first_of_each(by_cost, beam, masks, _BEAM)
        faithful = _first_of_each(by_lost, beam, masks, _FAITHFUL)
        beam = [
            _Found(cost.flat[at], longer.flat[at], mask, (*beam[at // len(masks)].chosen, masks[at % len(masks)]))
            for mask, at in (best | faithful).items()
        ]
        done += beam
    return sorted(((found.cost, found.chosen) for found in done), key=lambda item: item[0])


def _first_of_each(order: NDArray[np.intp], beam: Sequence[_Found], masks: Sequence[int], most: int) -> dict[int, int]:
    """Of conjunctions with one more literal, the first of those that hold for the same cases, of up to so many sets.

    Args:
        order: of their numbers, counted by conjunction and literal.
        beam: the conjunctions.
        masks: the literals.
        most: sets of cases.
    """
    found: dict[int, int] = {}
    for at in map(int, order):
        found.setdefault(beam[at // len(masks)].mask & masks[at % len(masks)], at)
        if len(found) == most:
            break
    return found


def _bits(masks: Sequence[int], count: int) -> NDArray[np.float32]:
    """A row of 0 and 1 for each set of so many cases; counts of cases are exact in float32."""
    width = -(-count // 8)
    packed = np.array([list(mask.to_bytes(width, "little")) for mask in masks], np.uint8).reshape(len(masks), width)
    return np.unpackbits(packed, axis=1, count=count, bitorder="little").astype(np.float32)


def _with_synonyms(chosen: tuple[int, ...], by_mask: Mapping[int, Sequence[Literal]]) -> Iterator[Conjunction]:
    """The rule with one literal replaced by another that holds for the same cases so far."""
    for at, mask in enumerate(chosen):
        for other in by_mask[mask][1 : 1 + _SYNONYMS]:
            texts = [other.text if i == at else by_mask[m][0].text for i, m in enumerate(chosen)]
            yield Conjunction(tuple(texts))
