"""The failure condition: a rule for when a case fails, learnt by asking.

A rule is a conjunction of `literals` that hold for a failing case, found by `rule_search`. What to ask next follows
from the rules that explain everything so far (`queries`). The last cases asked are fresh: they measure the rule and
are not learnt from.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from convcheck.model.case import Case
from convcheck.model.diagnosis import FailureCondition
from convcheck.model.rules import Rule, facts
from convcheck.triage.diagnosis.mutations import single_changes
from convcheck.triage.diagnosis.queries import ROUND, boundaries, near_misses, telling
from convcheck.triage.diagnosis.rule_search import search_rules
from convcheck.triage.diagnosis.samples import MOST_CASES, Conjunction, Label, Labelled, Samples

_ROUNDS: Final = 5
"""Rounds of queries, unless a rule is right about all of one before: a bound on the calls."""


def learn(base: Case, label: Label, failing: Sequence[Case] = (), passing: Sequence[Case] = ()) -> FailureCondition:
    """The condition of a failure.

    Args:
        base: a small legal case that fails.
        label: asks the candidate.
        failing: cases known to fail in the same way, perhaps of other causes as well.
        passing: cases believed to pass; they are asked again.

    Returns:
        The shortest rule that holds for `base` and fits the answers, measured on cases not learnt from.
    """
    rng = np.random.default_rng(zlib.crc32(base.token.encode()))
    samples = Samples()
    samples.add([(base, True), *((case, True) for case in failing if case.violation is None)])
    samples.add(samples.ask((*single_changes(base), *passing), label))
    known = [base, *failing]
    fresh: Labelled = []
    rules = search_rules(facts(base), samples)
    for _ in range(_ROUNDS):
        edges = [*boundaries(rules[0], base, samples, label, rng), *near_misses(rules[0], base, samples, label, rng)]
        if any(rules[0].holds(case) is not fails for case, fails in edges):
            rules = search_rules(facts(base), samples)
        fresh = samples.ask(telling(rules, known, rng, samples), label)
        right = all(rules[0].holds(case) is fails for case, fails in fresh)
        if right and len(fresh) >= ROUND // 2:
            break
        samples.add(fresh)
        fresh = []
        rules = search_rules(facts(base), samples)
    if fresh:
        return measured(rules[0].rule, fresh)
    held_out = samples.ask(telling(rules[:1], known, rng, samples), label, MOST_CASES + ROUND)
    samples.add(held_out)
    kept = _pruned(rules[0], samples, held_out)
    return measured(kept.rule, samples.ask(telling([kept], known, rng, samples), label, MOST_CASES + 2 * ROUND))


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


def _pruned(found: Conjunction, samples: Samples, held_out: Sequence[tuple[Case, bool]]) -> Conjunction:
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


def _balance(found: Conjunction, held_out: Sequence[tuple[Case, bool]]) -> float:
    """The harmonic mean of precision and recall."""
    score = measured(found.rule, held_out)
    both = score.precision + score.recall
    return 2 * score.precision * score.recall / both if both else 0.0
