"""Streams and graphs of a device: the right contents behind other work on another stream, and in a graph replayed.

A kernel that is launched on the default stream by itself does not wait for the one that is current, where its inputs
are still to be written: it computes on what was there before. What is captured in a graph finds other contents in its
tensors when it is replayed; whatever was computed from the earlier ones outside of the graph is stale.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from convcheck.model.calls import Call, Launch, Operation
from convcheck.model.levels import Level
from convcheck.model.profiles import Quantity
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.oracle import Oracle, Priority
from convcheck.oracles.support.judged_call import Judged, JudgedCall, stale
from convcheck.oracles.support.trial import Trial

NAME = "streams"
STREAM = "C2D-PURE-8"
GRAPH = "C2D-PURE-9"

_SAID: Final[dict[Launch, tuple[str, str]]] = {
    "stream": (STREAM, "on another stream"),
    "graph": (GRAPH, "captured in a graph and replayed on other contents"),
}
"""The clause of each way to launch a call, and what it is in words."""


def calls(trial: Trial) -> dict[str, Call]:
    """Each operation on two contents directly, and on each after the other in every way that the backend has."""
    if trial.case.batch == 0 or not _launches(trial):
        return {}
    return {name: asked.call for operation in _operations(trial) for name, asked in _asked(trial, operation).items()}


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge what is right directly: on another stream (clause C2D-PURE-8), in a graph (clause C2D-PURE-9)."""
    for operation in _operations(trial):
        asked = _asked(trial, operation)
        results = {name: _results(trial, name, call) for name, call in asked.items()}
        directly = [results[name] for name, call in asked.items() if call.launch == "direct"]
        for name, call in asked.items():
            for quantity, found in results[name].items() if call.launch != "direct" else ():
                known = [each[quantity] for each in directly if quantity in each]
                if len(known) == len(directly) and all(each.compared.status is Status.PASS for each in known):
                    yield _judged(call.launch, found, known)


def _judged(launch: Launch, found: Judged, known: list[Judged]) -> Verdict:
    """The verdict on a result of which others, launched directly, are right."""
    clause, said = _SAID[launch]
    if found.compared.status is not Status.PASS:
        reason = f"{said}, {found.quantity} is wrong{stale(found.got, [each.got for each in known])}"
        return Verdict(NAME, found.quantity, found.compared.status, (clause,), reason, evidence=found.compared.evidence)
    if not found.compared.judged or all(np.array_equal(found.got, each.got) for each in known):
        reason = "the results of both contents are the same, or none is exact"
        return Verdict(NAME, found.quantity, Status.VACUOUS, (clause,), reason)
    return Verdict(NAME, found.quantity, Status.PASS, (clause,))


def _results(trial: Trial, name: str, asked: JudgedCall) -> dict[Quantity, Judged]:
    return {found.quantity: found for found in asked.judged(trial.outcome(NAME, name))}


def _asked(trial: Trial, operation: Operation) -> dict[str, JudgedCall]:
    """Calls in the same buffers, in which the contents change every time."""
    contents = (trial.integers, trial.other_integers)
    launches: tuple[Launch, ...] = ("direct", "direct", *_launches(trial))
    return {
        f"{operation} {number}, {launch}": JudgedCall(trial, contents[number % 2], operation, launch)
        for number, launch in enumerate(launches)
    }


def _launches(trial: Trial) -> tuple[Launch, ...]:
    declared = trial.capabilities
    return (*(("stream",) if declared.streams else ()), *(("graph",) if declared.graphs else ()))


def _operations(trial: Trial) -> tuple[Operation, ...]:
    return (Operation.FORWARD, Operation.BACKWARD) if trial.capabilities.gradients else (Operation.FORWARD,)


ORACLE: Final = Oracle(NAME, judge, calls, level=Level.STATE, every=20, priority=Priority.OWN_CALLS)
