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
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias

import numpy as np

from convcheck.model.case import Case
from convcheck.model.diagnosis import FailureCondition
from convcheck.model.rules import Facts, Rule, facts
from convcheck.triage.diagnosis.literals import Literal, literals, product
from convcheck.triage.diagnosis.mutations import resized, single_changes, variations

Label: TypeAlias = Callable[[Case], bool | None]
"""Whether a case fails; None if it could not have, or failed of something else."""

MOST_CASES: Final = 300
"""Cases that are asked to learn one trigger; pruning and measuring it take `_FRESH` more each."""

_ROUNDS: Final = 5
_FRESH: Final = 40
_POOL: Final = 300
_BEAM: Final = 64
_DEEPEST: Final = 5
_LENGTH: Final = 0.5
"""What a plain literal costs, in passing cases that it must rule out to be worth it."""
_LOST: Final = 0.6
"""What a failing case that a rule leaves out costs: it may have another cause."""
_COMMITTEE: Final = 6
_MISSES: Final = 4
"""Cases asked for each condition of a rule, in which only this one does not hold."""
_RESIZED: Final = 300
"""Cases among which those near a threshold are looked for."""
_TERM: Final = r"\w+(?: \* \w+)*"
_OUTSIDE: Final = Rule("padding_h >= extent_h or padding_w >= extent_w")


_Found: TypeAlias = tuple[float, float, tuple[int, ...]]
"""Cost, length and masks of a conjunction."""


@dataclass(frozen=True, slots=True)
class _Conjunction:
    """A rule in the making: its conditions."""

    parts: tuple[str, ...]

    @property
    def rule(self) -> Rule:
        """All of them at once."""
        several = len(self.parts) > 1
        return Rule(" and ".join(f"({text})" if several and " or " in text else text for text in self.parts))

    def without(self, part: str) -> _Conjunction:
        """All of them but one."""
        return _Conjunction(tuple(p for p in self.parts if p != part))

    def holds(self, case: Case) -> bool:
        """Whether it holds for a case."""
        return self.rule.holds(facts(case))


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

    def mostly_pass(self, found: _Conjunction, part: str) -> bool:
        """Whether of the cases that one condition of a rule alone rules out more pass than fail."""
        ruled_out = self.mask(found.without(part).rule.text) & ~self.mask(part)
        return (ruled_out & self.passing).bit_count() > (ruled_out & self.failing).bit_count()

    def mask(self, text: str) -> int:
        """The cases where a condition holds."""
        seen, mask = self._masks.get(text, (0, 0))
        rule = Rule(text)
        for at in range(seen, len(self.known)):
            mask |= rule.holds(self.known[at]) << at
        self._masks[text] = len(self.known), mask
        return mask


def learn(base: Case, label: Label, failing: Sequence[Case] = (), passing: Sequence[Case] = ()) -> FailureCondition:
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
        sharper = [*_boundaries(rules[0], base, samples, label, rng), *_misses(rules[0], base, samples, label, rng)]
        if any(rules[0].holds(case) is not fails for case, fails in sharper):
            rules = _rules(facts(base), samples)
        fresh = samples.ask(_telling(rules, known, rng, samples), label)
        right = all(rules[0].holds(case) is fails for case, fails in fresh)
        if right and len(fresh) >= _FRESH // 2:
            break
        samples.add(fresh)
        fresh = []
        rules = _rules(facts(base), samples)
    if fresh:
        return measured(rules[0].rule, fresh)
    held_out = samples.ask(_telling(rules[:1], known, rng, samples), label, MOST_CASES + _FRESH)
    samples.add(held_out)
    kept = _pruned(rules[0], samples, held_out)
    return measured(kept.rule, samples.ask(_telling([kept], known, rng, samples), label, MOST_CASES + 2 * _FRESH))


def _pruned(found: _Conjunction, samples: _Samples, held_out: Sequence[tuple[Case, bool]]) -> _Conjunction:
    """The rule without the conditions that make it no more precise on cases not learnt from (as RIPPER prunes).

    Where a failure depends on values as well, some cases pass by accident, and rules are made to fit them. A
    condition stays if most of what it alone rules out passes: that is no accident.
    """
    precision = measured(found.rule, held_out).precision - 1 / max(1, len(held_out))  # one case is chance
    shorter = [found.without(part) for part in found.parts if not samples.mostly_pass(found, part)]
    as_precise = [one for one in shorter if measured(one.rule, held_out).precision >= precision]
    best = max(as_precise, key=lambda one: _balance(one, held_out), default=found)
    if best is found or _balance(best, held_out) < _balance(found, held_out):
        return found
    return _pruned(best, samples, held_out)


def _balance(found: _Conjunction, held_out: Sequence[tuple[Case, bool]]) -> float:
    """The harmonic mean of precision and recall."""
    score = measured(found.rule, held_out)
    both = score.precision + score.recall
    return 2 * score.precision * score.recall / both if both else 0.0


def measured(rule: Rule, fresh: Sequence[tuple[Case, bool]]) -> FailureCondition:
    """A rule's precision and recall on labelled cases; 0 where none could show it."""
    inside = [fails for case, fails in fresh if rule.holds(facts(case))]
    all_failing = sum(fails for _, fails in fresh)
    return FailureCondition(
        rule,
        precision=sum(inside) / len(inside) if inside else 0.0,
        recall=sum(inside) / all_failing if all_failing else 0.0,
        cases=len(fresh),
    )


def _rules(base: Facts, samples: _Samples) -> list[_Conjunction]:
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
    rules = [_Conjunction(tuple(by_mask[mask][0].text for mask in masks)) for masks in chosen]
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


def _synonyms(chosen: tuple[int, ...], by_mask: Mapping[int, Sequence[Literal]]) -> Iterator[_Conjunction]:
    """The rule with one literal replaced by another that holds for the same cases so far."""
    for at, mask in enumerate(chosen):
        for other in by_mask[mask][1:4]:
            texts = [other.text if i == at else by_mask[m][0].text for i, m in enumerate(chosen)]
            yield _Conjunction(tuple(texts))


def _telling(
    rules: Sequence[_Conjunction], known: Sequence[Case], rng: np.random.Generator, samples: _Samples
) -> list[Case]:
    """Fresh cases that tell most: half inside the first rule, half outside, disputed ones first."""
    pool = [case for case in _pool(known, rng) if case not in samples and _plain(case, known[0])]
    first = rules[0]

    def disputed(case: Case) -> int:
        votes = [rule.holds(case) for rule in rules]
        return -min(sum(votes), len(votes) - sum(votes))

    ordered = sorted(pool, key=disputed)
    inside = [case for case in ordered if first.holds(case)]
    outside = [case for case in ordered if not first.holds(case)]
    return inside[: _FRESH // 2] + outside[: _FRESH // 2]


def _plain(case: Case, base: Case) -> bool:
    """Whether every window reads the image, unless some of the base's do not: sums of zeros are right by accident."""
    return _OUTSIDE.holds(facts(base)) or not _OUTSIDE.holds(facts(case))


def _boundaries(
    found: _Conjunction, base: Case, samples: _Samples, label: Label, rng: np.random.Generator
) -> list[tuple[Case, bool]]:
    """Answers that halve the gap between what passes and what fails, for each threshold of a rule.

    A threshold lies anywhere in that gap as far as the answers go. Between them cases are drawn that differ
    from the base in what the threshold is about, and satisfy the rest of the rule.
    """
    answers: list[tuple[Case, bool]] = []
    for text, limit in re.findall(rf"({_TERM}) > (\d+)", found.rule.text):
        names, low = text.split(" * "), int(limit)
        reached = samples.failing & samples.mask(f"{text} > {limit}")
        high = min((product(one, names) for at, one in enumerate(samples.known) if reached >> at & 1), default=low)
        drawn: dict[int, Case] = {}
        for case in islice(resized(base, names, rng), _RESIZED if high - low > 1 else 0):
            if found.holds(case):
                drawn.setdefault(product(facts(case), names), case)
        while between := [value for value in drawn if low < value < high]:
            middle = min(between, key=lambda value: abs(2 * value - low - high))
            answer = samples.ask([drawn.pop(middle)], label)
            if not answer:
                break
            samples.add(answer)
            answers += answer
            low, high = (low, middle) if answer[0][1] else (middle, high)
    return answers


def _misses(
    found: _Conjunction, base: Case, samples: _Samples, label: Label, rng: np.random.Generator
) -> list[tuple[Case, bool]]:
    """Answers for cases that a rule only just leaves out: all its conditions hold but one."""
    answers: list[tuple[Case, bool]] = []
    near = [case for case in islice(variations(base, rng, 3), 2 * _POOL) if _plain(case, base)]
    for part in found.parts:
        rest, condition = found.without(part), Rule(part)
        missed = [c for c in near if c not in samples and rest.holds(c) and not condition.holds(facts(c))]
        answer = samples.ask(missed[:_MISSES], label)
        samples.add(answer)
        answers += answer
    return answers


def _pool(known: Sequence[Case], rng: np.random.Generator) -> list[Case]:
    """Near and far variations of the known failing cases, the first of them most."""
    cases = [*islice(variations(known[0], rng, 3), _POOL // 3), *islice(variations(known[0], rng, 23), _POOL // 3)]
    others = known[1:9] or known[:1]
    for case in others:
        cases += islice(variations(case, rng, 4), _POOL // 3 // len(others))
    order = rng.permutation(len(cases))
    return [cases[int(at)] for at in order]
