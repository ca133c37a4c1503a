"""Cases that a change has taken out of a rule, mended so that the rule holds for them again.

A rule that speaks of image sizes hides what else it should speak of: whatever is changed of the kernel or the stride
changes the size as well, and the case lies outside. Mended, it differs from the failing case in what was changed, and
the rule says that it fails.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from convcheck.model.case import Case
from convcheck.model.rules import Rule, facts
from convcheck.triage.diagnosis.mutations import changes_reaching, with_changes
from convcheck.triage.diagnosis.samples import Conjunction


def repaired(case: Case, rule: Conjunction) -> Case | None:
    """A case like this one for which the rule holds; None where none is found.

    Args:
        case: a legal case.
        rule: its conditions that do not hold are mended one after the other.
    """
    for part in rule.parts:
        condition = Rule(part)
        if not condition.holds(facts(case)):
            found = next((one for one in _mended(case, condition) if condition.holds(facts(one))), None)
            if found is None:
                return None
            case = found
    return case if rule.holds(case) else None


def _mended(case: Case, condition: Rule) -> Iterator[Case]:
    """Cases in which one count of the condition has the value of the other, or one beside it."""
    known = facts(case)
    for node in _comparisons(condition):
        for one, other in ((node.left, node.comparators[0]), (node.comparators[0], node.left)):
            value = known[other.id] if isinstance(other, ast.Name) else getattr(other, "value", None)
            if not isinstance(one, ast.Name) or not isinstance(value, int):
                continue
            for near in (value, value + 1, value - 1):
                changes = changes_reaching(case, one.id, near) if near >= 0 else None
                found = None if changes is None else with_changes(case, changes)
                if found is not None:
                    yield found


@lru_cache(maxsize=1024)
def _comparisons(condition: Rule) -> tuple[ast.Compare, ...]:
    nodes = ast.walk(ast.parse(condition.text, mode="eval"))
    return tuple(node for node in nodes if isinstance(node, ast.Compare))
