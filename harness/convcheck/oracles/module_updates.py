"""Parameters of a module that change after its first call: a layer that keeps a packed weight has to notice.

The parameters that the module has in the end say what is due of its last output, so that one whose parameters cannot be
changed in some way passes there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from convcheck.model.calls import Call, Mode, Operation, Returned
from convcheck.model.levels import Level
from convcheck.model.verdicts import FAILURES, Verdict
from convcheck.oracles.oracle import PRECISION, RESULT, Oracle, Priority
from convcheck.oracles.support.exercised import exercised
from convcheck.oracles.support.module_output import judge_output
from convcheck.oracles.support.own_call import BUDGET
from convcheck.oracles.support.trial import SINGLE_CALL, Trial

NAME = "module-updates"
CLAUSE = "C2D-MODULE-8"

_WAYS: Final[Mapping[Mode, str]] = {
    Mode.IN_PLACE: "changed in place",
    Mode.THROUGH_DATA: "changed through `.data`",
    Mode.REPLACED: "replaced",
    Mode.COPIED: "copied, with the layer, by copy.deepcopy, and those of the original changed",
}


def calls(trial: Trial) -> Mapping[str, Call]:
    """Two calls of a new module for each way to change its parameters; one of these is torch's alone."""
    case, capabilities = trial.case, trial.capabilities
    if case.entry != "module" or not capabilities.module or case.multiply_adds > BUDGET:
        return {}
    ways = [way for way in _WAYS if way is not Mode.THROUGH_DATA or capabilities.autograd]
    plain = trial.calls[SINGLE_CALL]
    return {way: replace(plain, operation=Operation.MODULE_UPDATED, mode=way) for way in ways}


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge the last output of each way, one verdict for all: that of the first that fails (clause C2D-MODULE-8)."""
    if trial.case.violation is not None or trial.case.entry != "module":
        return
    found = [verdict for way in _WAYS for verdict in _judged(trial, way)]
    yield from [verdict for verdict in found if verdict.status in FAILURES][:1] or found[:1]


def _judged(trial: Trial, way: Mode) -> Iterator[Verdict]:
    outcome, params = trial.outcome(NAME, way), trial.case.params
    if not isinstance(outcome, Returned) or outcome.malformed:
        return
    arrays = [outcome.arrays.get(name) for name in ("weight", "bias")]
    if [None if array is None else array.shape for array in arrays] == [params.weight_shape, params.bias_shape]:
        what = f"the module's output after its parameters were {_WAYS[way]}"
        found = judge_output(NAME, trial, outcome, (CLAUSE, *exercised(trial.case)), what)
        # however far off it is: the first call may be right
        yield from (replace(verdict, level=None) for verdict in found)


ORACLE: Final = Oracle(
    NAME,
    judge,
    calls,
    level=Level.STATE,
    every=4,
    entry="module",
    priority=Priority.OWN_CALLS,
    of_state=True,
    wraps_output=True,
    repeats_kinds=(RESULT, PRECISION),
)
