"""The failure condition: a rule for when a case fails, learnt by asking.

A rule is a conjunction of `literals` that hold for a failing case, found by `rule_search`. What to ask next follows
from the rules that explain everything so far (`queries`). What comes of it is put to cases drawn to break it
(`breaking`), until so many of them did not; they measure the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

import numpy as np

from convcheck.model.case import Case
from convcheck.model.diagnosis import ENOUGH_ATTEMPTS, FailureCondition
from convcheck.model.rules import Rule, facts
from convcheck.triage.diagnosis.breaking import MOST, attempts
from convcheck.triage.diagnosis.mutations import generator_of, single_changes
from convcheck.triage.diagnosis.queries import ROUND, boundaries, near_misses, telling
from convcheck.triage.diagnosis.rule_search import AMONG_ACCIDENTS, search_rules
from convcheck.triage.diagnosis.samples import Conjunction, Label, Labelled, Samples
from convcheck.triage.diagnosis.terms import EVERY_PARAMETER

_ROUNDS: Final = 4
"""Rounds of queries, unless a rule is right about all of one before: a bound on the calls."""

MOST_ATTEMPTS: Final = 500
"""Attempts to break a rule and those that follow it, a bound on the calls."""

_BROKEN: Final = 60
"""Attempts after which it is enough to know that some broke a rule, where no better one was found."""

_BELIEVED: Final = 6
"""Rules that are believed one after the other, before it is taken that some cases pass by accident: where none does,
the third is right at the latest (the rules of this module's tests)."""

_HELD_OUT: Final = 60
"""Attempts that are not learnt from, by which a rule that did not survive is pruned."""

_CHANCE: Final = 0.1
"""What precision on thirty of these may differ by without meaning anything."""

_SLACK: Final = 0.03
"""What the balance of two rules on a hundred cases may differ by without meaning anything: a standard error."""

_AT_ONCE: Final = 20
"""Attempts between two searches for a better rule."""


def learn(
    base: Case,
    label: Label,
    failing: Sequence[Case] = (),
    passing: Sequence[Case] = (),
    can_ask: Callable[[], bool] = lambda: True,
) -> FailureCondition:
    """The condition of a failure.

    Args:
        base: a small legal case that fails.
        label: asks the candidate.
        failing: cases known to fail in the same way, perhaps of other causes as well.
        passing: cases believed to pass; they are asked again.
        can_ask: whether the candidate may still be called; cases that nobody can ask for are not made.

    Returns:
        The shortest rule that holds for `base` and fits the answers, measured on cases drawn to break it.
    """
    rng = generator_of(base)
    samples = Samples()
    samples.add([(base, True), *((case, True) for case in failing if case.violation is None)])
    samples.add(samples.ask((*single_changes(base), *passing), label))
    known = [base, *failing]
    rules = search_rules(facts(base), samples)
    for _ in range(_ROUNDS):
        if not can_ask():
            break
        edges = [*boundaries(rules[0], base, samples, label, rng), *near_misses(rules[0], base, samples, label)]
        if any(rules[0].holds(case) is not fails for case, fails in edges):
            rules = search_rules(facts(base), samples)
        fresh = samples.ask(telling(rules, known, rng, samples), label)
        right = all(rules[0].holds(case) is fails for case, fails in fresh)
        samples.add(fresh)
        if right and len(fresh) >= ROUND // 2:
            break
        rules = search_rules(facts(base), samples)
    believed, tried = _put_to_the_test(rules[0], known, samples, label, rng) if can_ask() else ([rules[0]], [])
    rule = believed[-1]
    condition = _known(measured(rule.rule, tried), samples)
    if condition.unbroken:
        return _on_either_axis(condition, known, samples, label, rng) or condition
    # where a failure depends on values as well, no rule survives, and the last is made to fit accidents
    believed.append(search_rules(facts(base), samples, AMONG_ACCIDENTS)[0])
    drawn = attempts(rule, known, samples, rng) if can_ask() else ()
    held_out = samples.ask(drawn, label, samples.asked + _HELD_OUT)
    samples.add(held_out)
    left = {one.rule.text: one for found in believed for one in (_pruned(found, samples, held_out), found)}
    # the rule that always holds has no outside by which it could be told from others
    shortest = min(left.values(), key=lambda one: len(one.parts) or EVERY_PARAMETER)
    fresh = _enough(attempts(shortest, known, samples, rng), samples, label) if can_ask() else []
    if len(fresh) < _AT_ONCE and condition.cases:
        return condition  # no calls are left to measure a better one by
    best = _best(list(left.values()), fresh)
    samples.add(fresh)
    if measured(best.rule, fresh).unbroken and _refuted(best.rule, samples):
        # what the attempts cannot tell, because it was asked before, is told by all that was asked
        fresh = samples.labelled
        best = _best(list(left.values()), fresh)
    condition = _known(measured(best.rule, fresh), samples)
    if not condition.unbroken or best is shortest:
        return condition
    # that it held where another was to be broken says little
    fresh = _enough(attempts(best, known, samples, rng), samples, label)
    return _known(measured(best.rule, fresh), samples)


def _enough(drawn: Iterable[Case], samples: Samples, label: Label) -> Labelled:
    """The labels of as many cases as a claim needs, if there are: some cases have none."""
    found: Labelled = []
    rest = iter(drawn)
    while following := list(islice(rest, ENOUGH_ATTEMPTS - len(found))):
        found += samples.ask(following, label, samples.asked + len(following))
    return found


def _refuted(rule: Rule, samples: Samples) -> bool:
    """Whether a case within the rule is known to pass."""
    return bool(samples.passing & samples.mask(rule.text))


def _known(condition: FailureCondition, samples: Samples) -> FailureCondition:
    """With how many of the cases that are known to fail lie outside the rule: of other causes, or of its own.

    No rule is unbroken that is known to be wrong about a case that it was not measured on.
    """
    if condition.unbroken and _refuted(condition.rule, samples):
        condition = measured(condition.rule, samples.labelled)
    return replace(condition, elsewhere=(samples.failing & ~samples.mask(condition.rule.text)).bit_count())


def _on_either_axis(
    condition: FailureCondition, known: Sequence[Case], samples: Samples, label: Label, rng: np.random.Generator
) -> FailureCondition | None:
    """The rule on one axis or the other, if that is what explains the failures outside of it; None if it is not."""
    other = condition.rule.transposed
    if not condition.elsewhere or not samples.failing & samples.mask(other.text) & ~samples.mask(condition.rule.text):
        return None
    either = Rule(f"({condition.rule.text}) or ({other.text})")
    found = Conjunction((either.text,))
    fresh = samples.ask(_two_lots(found, known, samples, rng), label, samples.asked + MOST)
    samples.add(fresh)
    joined = _known(measured(either, fresh), samples)
    return joined if joined.unbroken and joined.elsewhere < condition.elsewhere else None


def _best(rules: Sequence[Conjunction], fresh: Labelled) -> Conjunction:
    """The rule that fits best, or the shortest of those that may as well, unless one is never wrong."""
    found = [measured(one.rule, fresh) for one in rules]
    most = max(one.balance for one in found)
    as_good = [
        rule for rule, one in zip(rules, found, strict=True) if one.balance >= (most if most == 1.0 else most - _SLACK)
    ]
    return min(as_good, key=lambda rule: len(rule.parts))


def _put_to_the_test(
    rule: Conjunction, known: Sequence[Case], samples: Samples, label: Label, rng: np.random.Generator
) -> tuple[list[Conjunction], Labelled]:
    """The rules that were believed one after the other, until attempts to break one changed nothing, and their answers.

    Answers that contradict a rule are learnt from, and those are the most telling ones that there are. They stay among
    those that measure it where nothing better was found.
    """
    believed = [rule]
    tried: Labelled = []
    drawn = _two_lots(rule, known, samples, rng)
    most = samples.asked + MOST_ATTEMPTS
    while len(believed) <= _BELIEVED:
        answers = samples.ask(islice(drawn, _AT_ONCE), label, most)
        if not answers:
            break
        samples.add(answers)
        tried += answers
        if all(rule.holds(case) is fails for case, fails in answers):
            continue
        better = search_rules(facts(known[0]), samples)[0]
        if better == rule and len(tried) >= _BROKEN:
            break
        if better != rule:
            rule, tried = better, []
            believed.append(rule)
            drawn = _two_lots(rule, known, samples, rng)
    return believed, tried


def _two_lots(rule: Conjunction, known: Sequence[Case], samples: Samples, rng: np.random.Generator) -> Iterator[Case]:
    """Attempts around the first cases that failed, then half as many around any that do by now.

    The second lot is drawn when the first has changed nothing: what the rule was learnt from, all the first may share.
    """
    yield from attempts(rule, known, samples, rng)
    failing = samples.failing_cases
    any_of_them = [failing[int(at)] for at in rng.permutation(len(failing))]
    yield from attempts(rule, any_of_them, samples, rng)[: MOST // 2]


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
    precision = measured(found.rule, held_out).precision - _CHANCE
    shorter = [found.without(part) for part in found.parts if not samples.mostly_pass(found, part)]
    as_precise = [one for one in shorter if measured(one.rule, held_out).precision >= precision]
    best = max(as_precise, key=lambda one: _balance(one, held_out), default=found)
    if best is found or _balance(best, held_out) < _balance(found, held_out):
        return found
    return _pruned(best, samples, held_out)


def _balance(found: Conjunction, held_out: Sequence[tuple[Case, bool]]) -> float:
    """The harmonic mean of precision and recall."""
    return measured(found.rule, held_out).balance
