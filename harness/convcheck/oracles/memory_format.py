"""The memory format of results: NHWC where x or the weight is, for backends that declare it.

A result in another order has the right values, but whoever goes on with its memory (the next layer of a network in
channels_last, a pointer that is passed on) takes another path or reads others. torch tells the order of a tensor from
its strides; where these are neither dense nor NHWC, nothing is said here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from convcheck.model.calls import Returned
from convcheck.model.case import Case
from convcheck.model.profiles import QUANTITIES, Quantity
from convcheck.model.strides import is_channels_last
from convcheck.model.verdicts import Evidence, Status, Verdict
from convcheck.oracles.oracle import Oracle
from convcheck.oracles.support.trial import Trial

NAME = "memory-format"
CLAUSE: Final = "C2D-LAYOUT-3"

_DENSE: Final = ("contiguous", "offset")


def judge(trial: Trial) -> Iterator[Verdict]:
    """Judge the results of the calls of every case (clause C2D-LAYOUT-3)."""
    case = trial.case
    if not trial.capabilities.memory_format or not case.is_legal_call:
        return
    wanted = _format(case)
    if not wanted:
        return
    for key in trial.calls:
        outcome = trial.outcomes.get(key)
        if isinstance(outcome, Returned):
            for quantity in _judged(case):
                array = outcome.arrays.get(quantity)
                if array is not None and array.shape == trial.shape(quantity):
                    yield _verdict(outcome, quantity, wanted)


def _format(case: Case) -> str:
    """The format of the results; empty where this oracle has nothing to say.

    Other padding modes pad in a step of their own, and an unbatched image, or none, is in no format.
    """
    if case.unbatched or case.batch == 0 or case.params.padding_mode != "zeros":
        return ""
    shapes = (case.input_shape, case.params.weight_shape)
    if any(is_channels_last(shape, layout) for shape, layout in zip(shapes, case.layouts, strict=False)):
        return "channels_last"
    return "contiguous" if all(layout in _DENSE for layout in case.layouts[:2]) else ""


def _judged(case: Case) -> tuple[Quantity, ...]:
    """The quantities of four dimensions; gradients of complex layers are made of parts, in no order of theirs."""
    return QUANTITIES[:1] if case.dtype.startswith("complex") else QUANTITIES[:3]


def _verdict(outcome: Returned, quantity: Quantity, wanted: str) -> Verdict:
    lies = {"contiguous": outcome.contiguous, "channels_last": outcome.channels_last}
    if quantity in lies[wanted]:
        return Verdict(NAME, quantity, Status.PASS, (CLAUSE,))
    found = next((name for name, results in lies.items() if quantity in results), "in neither order without gaps")
    reason = f"{quantity} is {found}; as x or the weight is channels_last, it has to be {wanted}"
    if wanted == "contiguous":
        reason = f"{quantity} is {found}; as x and the weight are contiguous, it has to be {wanted}"
    return Verdict(
        NAME, quantity, Status.FAIL, (CLAUSE,), reason, evidence=Evidence((), wanted, found, 1, 1, "the memory format")
    )


ORACLE: Final = Oracle(NAME, judge)
