"""The trigger: a rule for when a case fails, learnt by asking.

A rule is a conjunction of `literals` that hold for a failing case. It is found by a beam search for the
shortest conjunction that no passing case satisfies (the search of RIPPER and of CN2: Clark & Niblett
1989, with full precision asked for). What to ask next follows from the rules that explain everything so
far: cases about which they disagree (query by committee, Seung, Opper & Sompolinsky 1992). The last
cases asked are fresh: they measure the rule and are not learnt from.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, TypeAlias

import numpy as np

from convcheck.case import Case
from convcheck.diagnosis.literals import Literal, literals
from convcheck.diagnosis.model import Trigger
from convcheck.diagnosis.neighbourhood import changed, single_changes, variations
from convcheck.rules import Facts, Rule, facts

Label: TypeAlias = Callable[[Case], bool | None]
"""Whether a case fails; None if it could not have, or failed of something else."""

MOST_CASES: Final = 200
"""Cases that are asked to learn one trigger; measuring it takes `_FRESH` more at most."""

_ROUNDS: Final = 5
_FRESH: Final = 40
_POOL: Final = 300
_BEAM: Final = 24
_DEEPEST: Final = 5
_LENGTH: Final = 0.5
"""What a plain literal costs, in passing cases that it must rule out to be worth it."""
_LOST: Final = 0.6
"""What a failing case that a rule leaves out costs: it may have another cause."""
_COMMITTEE: Final = 6
_OUTSIDE: Final = Rule("padding_h >= extent_h or padding_w >= extent_w")


_Found: TypeAlias = tuple[float, float, tuple[int, ...]]
"""Cost, length and masks of a conjunction."""


class _Samples:
    """Labelled cases as facts, numbered, and for each condition the set of cases where it holds, as bits."""

    def __init__(self) -> None:
        self.asked = 0
        self.failing = 0
        self.passing = 0
        self.known: list[Facts] = []
        self._tokens: set[str] = set()
        self._masks: dict[str, tuple[int, int]] = {}

    def ask(self, cases: Iterable[Case], label: Label, most: int = MOST_CASES) -> list[tuple[Case, bool]]:
        """The labels of cases that are new and have one, while fewer than `most` have been asked."""
        found = []
        for case in cases:
            if case.token in self._tokens or self.asked >= most:
                continue
            self.asked += 1
            fails = label(case)
            if fails is not None:
                found.append((case, fails))
        return found

    def add(self, labelled: Iterable[tuple[Case, bool]]) -> None:
        for case, fails in labelled:
            if case.token in self._tokens:
                continue
            bit = 1 << len(self.known)
            self.failing |= bit if fails else 0
            self.passing |= 0 if fails else bit
            self.known.append(facts(case))
            self._tokens.add(case.token)

    def __contains__(self, case: Case) -> bool:
        return case.token in self._tokens

    def mask(self, text: str) -> int:
        """The cases where a condition holds."""
        seen, mask = self._masks.get(text, (0, 0))
        rule = Rule(text)
        for at in range(seen, len(self.known)):
            mask |= rule.holds(self.known[at]) << at
        self._masks[text] = len(self.known), mask
        return mask


def learn(base: Case, label: Label, failing: Sequence[Case] = (), passing: Sequence[Case] = ()) -> Trigger:
    """The trigger of a failure.

    Args:
        base: a small legal case that fails.
        label: asks the candidate.
        failing: cases known to fail in the same way, perhaps of other causes as well.
        passing: cases believed to pass; they are asked again.

    Returns:
        The shortest rule that holds for `base` and fits the answers, measured on cases not learnt from.
    """
    rng = np.random.default_rng(zlib.crc32(base.token.encode()))
    samples = _Samples()
    samples.add([(base, True), *((case, True) for case in failing if case.violation is None)])
    samples.add(samples.ask((*single_changes(base), *passing), label))
    known = [base, *failing]
    fresh: list[tuple[Case, bool]] = []
    rules = _rules(facts(base), samples)
    for _ in range(_ROUNDS):
        sharper = _boundaries(rules[0], base, samples, label)
        if sharper:
            samples.add(sharper)
            rules = _rules(facts(base), samples)
        fresh = samples.ask(_telling(rules, known, rng, samples), label)
        right = all(rules[0].holds(facts(case)) is fails for case, fails in fresh)
        if right and len(fresh) >= _FRESH // 2:
            break
        samples.add(fresh)
        fresh = []
        rules = _rules(facts(base), samples)
    if not fresh:
        fresh = samples.ask(_telling(rules[:1], known, rng, samples), label, MOST_CASES + _FRESH)
    return measured(rules[0], fresh)


def measured(rule: Rule, fresh: Sequence[tuple[Case, bool]]) -> Trigger:
    """A rule's precision and recall on labelled cases; 0 where none could show it."""
    inside = [fails for case, fails in fresh if rule.holds(facts(case))]
    all_failing = sum(fails for _, fails in fresh)
    return Trigger(
        rule,
        precision=sum(inside) / len(inside) if inside else 0.0,
        recall=sum(inside) / all_failing if all_failing else 0.0,
        cases=len(fresh),
    )


def _rules(base: Facts, samples: _Samples) -> list[Rule]:
    """The best rule, then others that are nearly as good on what is known."""
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
    rules = [_rule([by_mask[mask][0] for mask in masks]) for masks in chosen]
    return rules + list(_synonyms(chosen[0], by_mask))


def _search(weights: Mapping[int, float], samples: _Samples) -> list[tuple[float, tuple[int, ...]]]:
    """Conjunctions of masks by cost: passing cases let in, failing ones left out, and length.

    Of conjunctions of so many literals that hold for the same cases, the shortest is kept.
    """
    failing, passing = samples.failing, samples.passing

    def cost(mask: int, length: float) -> float:
        let_in, left_out = (mask & passing).bit_count(), (failing & ~mask).bit_count()
        # many failures may have other causes: the more are left out, the less each says
        return float(let_in + _LOST * left_out**0.75 + _LENGTH * length)

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
        done |= beam
    return sorted(((c, chosen) for c, _, chosen in done.values()), key=lambda item: item[0])


def _synonyms(chosen: tuple[int, ...], by_mask: Mapping[int, Sequence[Literal]]) -> Iterator[Rule]:
    """The rule with one literal replaced by another that holds for the same cases so far."""
    for at, mask in enumerate(chosen):
        for other in by_mask[mask][1:4]:
            yield _rule([other if i == at else by_mask[m][0] for i, m in enumerate(chosen)])


def _rule(chosen: Sequence[Literal]) -> Rule:
    texts = [literal.text for literal in chosen]
    if len(texts) > 1:
        texts = [f"({text})" if " or " in text else text for text in texts]
    return Rule(" and ".join(texts))


def _telling(rules: Sequence[Rule], known: Sequence[Case], rng: np.random.Generator, samples: _Samples) -> list[Case]:
    """Fresh cases that tell most: half inside the first rule, half outside, disputed ones first."""
    pool = [case for case in _pool(known, rng) if case not in samples and _plain(case, known[0])]
    first = rules[0]

    def disputed(case: Case) -> int:
        votes = [rule.holds(facts(case)) for rule in rules]
        return -min(sum(votes), len(votes) - sum(votes))

    ordered = sorted(pool, key=disputed)
    inside = [case for case in ordered if first.holds(facts(case))]
    outside = [case for case in ordered if not first.holds(facts(case))]
    return inside[: _FRESH // 2] + outside[: _FRESH // 2]


def _plain(case: Case, base: Case) -> bool:
    """Whether every window reads the image, unless some of the base's do not: sums of zeros are right by accident."""
    return _OUTSIDE.holds(facts(base)) or not _OUTSIDE.holds(facts(case))


def _boundaries(rule: Rule, base: Case, samples: _Samples, label: Label) -> list[tuple[Case, bool]]:
    """Answers that halve the gap between what passes and what fails, for each threshold of a rule."""
    found: list[tuple[Case, bool]] = []
    for name, limit in re.findall(r"(?<!\* )\b(\w+) > (\d+)", rule.text):
        reached = samples.failing & samples.mask(f"{name} > {limit}")
        low = int(limit)
        high = min((int(one[name]) for at, one in enumerate(samples.known) if reached >> at & 1), default=low)
        while high - low > 1:
            middle = changed(base, name, (low + high) // 2)
            answer = samples.ask([] if middle is None else [middle], label)
            if not answer:
                break
            found += answer
            low, high = (low, (low + high) // 2) if answer[0][1] else ((low + high) // 2, high)
    return found


def _pool(known: Sequence[Case], rng: np.random.Generator) -> list[Case]:
    """Near and far variations of the known failing cases, the first of them most."""
    cases = [*islice(variations(known[0], rng, 3), _POOL // 3), *islice(variations(known[0], rng, 23), _POOL // 3)]
    others = known[1:9] or known[:1]
    for case in others:
        cases += islice(variations(case, rng, 4), _POOL // 3 // len(others))
    order = rng.permutation(len(cases))
    return [cases[int(at)] for at in order]
