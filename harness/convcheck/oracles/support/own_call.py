"""A result of an oracle's own call on the exact integers of the case, and how it is judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from numpy.typing import NDArray

from convcheck.model.calls import Call, Returned
from convcheck.model.profiles import Quantity
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles.exact import compare_integers
from convcheck.oracles.support.compare import Comparison
from convcheck.oracles.support.exercised import exercised
from convcheck.oracles.support.trial import INTEGERS, Trial, plain_key
from convcheck.oracles.support.vacuity import too_few_judged, vacuous
from convcheck.oracles.support.wellformed import fault, misshapen

BUDGET: Final = 300_000
"""Multiply-adds of one forward pass up to which a case is asked."""


class Asked(NamedTuple):
    """What a result was asked for.

    Attributes:
        oracle: by whom.
        clause: that is judged, besides those that the case exercises.
        what: of the result, in words.
    """

    oracle: str
    clause: str
    what: str


def integer_call(trial: Trial, quantity: Quantity) -> Call | None:
    """The call of the case that gives a quantity on integers; None for a layer that costs too much to ask again."""
    if trial.case.multiply_adds > BUDGET:
        return None
    return trial.calls.get(plain_key(INTEGERS, quantity))


def judge_own(
    trial: Trial,
    name: str,
    quantity: Quantity,
    asked: Asked,
    compare: Callable[[NDArray[Any]], Comparison] | None = None,
    result: str = "",
) -> Verdict | None:
    """The verdict on one result of an oracle's own call; None if it did not come back, or has no elements.

    Args:
        trial: after its calls.
        name: of the call.
        quantity: whose shape, profile and length of sums the result has.
        asked: what it was asked for.
        compare: with what is due; by default with the exact integers.
        result: its name, where it is not that of the quantity.
    """
    outcome, result = trial.outcome(asked.oracle, name), result or quantity
    if not isinstance(outcome, Returned):
        return None
    case, clauses = trial.case, (asked.clause, *exercised(trial.case, quantity))
    wrong = fault(outcome, result, trial.shape(quantity), case.dtype)
    if wrong:
        return misshapen(asked.oracle, quantity, clauses, asked.what, wrong, trial.shape(quantity))
    got, expected = outcome.arrays[result], trial.expected_integers
    if got is None or got.size == 0:
        return None
    if compare is None:
        compared = compare_integers(got, expected, quantity, trial.capabilities.promised(case, quantity))
    else:
        compared = compare(got)
    if compared.status is not Status.PASS:
        reason = f"{asked.what} is not the exact integer result"
        return Verdict(asked.oracle, quantity, compared.status, clauses, reason, evidence=compared.evidence)
    reason = too_few_judged(compared.judged, got.size) or vacuous(expected.sum(quantity), quantity, case)
    return Verdict(asked.oracle, quantity, Status.VACUOUS if reason else Status.PASS, clauses, reason)


def worst(verdicts: Sequence[Verdict | None]) -> list[Verdict]:
    """The first verdict that fails, or else the first; none where there is none."""
    found = [verdict for verdict in verdicts if verdict is not None]
    return ([v for v in found if v.status not in (Status.PASS, Status.VACUOUS)] or found)[:1]
