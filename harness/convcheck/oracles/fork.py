"""Fork: a process that has called the candidate forks, and the child calls it; then the process itself does again.

A pool of threads does not survive a fork, nor does a lock that one of its threads held; a handle, a file or a counter
is then shared by two processes. Judged where the backend declares that a child may call it (`fork_safe`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from convcheck.model.calls import Call, Operation
from convcheck.model.levels import Level
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.oracle import Oracle, Priority
from convcheck.oracles.support import sequence
from convcheck.oracles.support.judged_call import JudgedCall
from convcheck.oracles.support.sequence import Step
from convcheck.oracles.support.trial import Trial

NAME = "fork"
CLAUSE = "C2D-PURE-4"

_EVERY: Final = 40
_IN_CHILDREN: Final = ("in a child", "backward in a child")


def calls(trial: Trial) -> dict[str, Call]:
    """The calls, those of children marked so."""
    made = sequence.calls(trial.once(steps))
    return {name: replace(call, forked=name in _IN_CHILDREN) for name, call in made.items()}


def steps(trial: Trial) -> dict[str, Step]:
    """One draw of the data before, the other in a child, and the first again; none where it is not declared."""
    if trial.case.batch == 0 or not trial.capabilities.fork_safe:
        return {}
    a, b = (JudgedCall(trial, values) for values in (trial.integers, trial.other_integers))
    found = {"before a fork": Step(a), "in a child": Step(b), "after the child": Step(a)}
    if trial.capabilities.gradients:
        found["backward after the child"] = Step(replace(a, operation=Operation.BACKWARD))
        found["backward in a child"] = Step(replace(b, operation=Operation.BACKWARD))
    return found


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge each call's results, one verdict a quantity (clause C2D-PURE-4)."""
    if not trial.capabilities.fork_safe:
        reason = "calls in a forked child are not declared"
        yield Verdict(NAME, "output", Status.NOT_APPLICABLE, (CLAUSE,), reason)
        return
    yield from sequence.judge(trial, NAME, CLAUSE, trial.once(steps))


ORACLE: Final = Oracle(NAME, judge, calls, level=Level.STATE, every=_EVERY, priority=Priority.OWN_CALLS, of_state=True)
