"""The search for a rule: the cheapest conjunction of literals that explains what is known.

A beam search for the shortest conjunction that no passing case satisfies (that of CN2, Clark & Niblett 1989, and of
RIPPER, Cohen 1995, with full precision asked for).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from convcheck.model.rules import Facts
from convcheck.triage.diagnosis.literals import Literal, literals
from convcheck.triage.diagnosis.samples import Conjunction, Samples

_LENGTH: Final = 0.5
"""What a plain literal costs, in passing cases that it must rule out to be worth it: one case may be chance, but
half a case keeps a literal that rules out a single one."""

_LOST: Final = 0.6
"""What a failing case that a rule leaves out costs, in passing cases let in: less than one, as it may have another
cause; more than a literal, or every rule would be cut down to the commonest failures."""

_LOST_GROWTH: Final = 0.75
"""The power by which that cost grows with their number: many failures that are left out have other causes, and the
more there are, the less each says."""

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

_Found: TypeAlias = tuple[float, float, tuple[int, ...]]
"""Cost, length and masks of a conjunction."""


def search_rules(base: Facts, samples: Samples) -> list[Conjunction]:
    """The best rule that holds for `base`, then others that are nearly as good on what is known."""
    by_mask: dict[int, list[Literal]] = {}
    for literal in literals(base, samples.known):
        mask = samples.mask(literal.text)
        if mask & 1 and samples.passing & ~mask:  # it holds for the base and rules something out
            by_mask.setdefault(mask, []).append(literal)
    for same in by_mask.values():
        same.sort(key=lambda literal: literal.weight)
    ranked = _search({mask: same[0].weight for mask, same in by_mask.items()}, samples)
    best = ranked[0][0]
    chosen = [masks for cost, masks in ranked[:_COMMITTEE] if cost < best + 2 * _LENGTH]
    rules = [Conjunction(tuple(by_mask[mask][0].text for mask in masks)) for masks in chosen]
    return rules + list(_with_synonyms(chosen[0], by_mask))


def _search(weights: Mapping[int, float], samples: Samples) -> list[tuple[float, tuple[int, ...]]]:
    """Conjunctions of masks by cost: passing cases let in, failing ones left out, and length.

    Of conjunctions of so many literals that hold for the same cases, the shortest is kept.
    """
    failing, passing = samples.failing, samples.passing

    def lost(mask: int) -> int:
        return (failing & ~mask).bit_count()

    def cost(mask: int, length: float) -> float:
        return float((mask & passing).bit_count() + _LOST * lost(mask) ** _LOST_GROWTH + _LENGTH * length)

    everything = failing | passing
    beam: dict[tuple[int, int], _Found] = {(everything, 0): (cost(everything, 0.0), 0.0, ())}
    done = dict(beam)
    for depth in range(1, _DEEPEST + 1):
        grown: dict[tuple[int, int], _Found] = {}
        for (mask, _), (_, length, chosen) in beam.items():
            for literal, weight in weights.items():
                narrowed = mask & literal
                if narrowed & passing == mask & passing:
                    continue
                longer, key = length + weight, (narrowed, depth)
                if key not in grown or longer < grown[key][1]:
                    grown[key] = cost(narrowed, longer), longer, (*chosen, literal)
        beam = dict(sorted(grown.items(), key=lambda item: item[1][0])[:_BEAM])
        beam |= dict(sorted(grown.items(), key=lambda item: (lost(item[0][0]), item[1][0]))[:_FAITHFUL])
        done |= beam
    return sorted(((c, chosen) for c, _, chosen in done.values()), key=lambda item: item[0])


def _with_synonyms(chosen: tuple[int, ...], by_mask: Mapping[int, Sequence[Literal]]) -> Iterator[Conjunction]:
    """The rule with one literal replaced by another that holds for the same cases so far."""
    for at, mask in enumerate(chosen):
        for other in by_mask[mask][1 : 1 + _SYNONYMS]:
            texts = [other.text if i == at else by_mask[m][0].text for i, m in enumerate(chosen)]
            yield Conjunction(tuple(texts))
