"""One call of a sequence in reused buffers, on exact integers, and how its results are judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcheck.model.calls import Call, Launch, Operation, Outcome, Returned
from convcheck.model.profiles import GRADIENTS, Quantity
from convcheck.model.verdicts import Status
from convcheck.oracles.exact import compare_integers
from convcheck.oracles.support.compare import Comparison, compare_exact
from convcheck.oracles.support.expected import Expected
from convcheck.oracles.support.trial import Trial
from convcheck.tensors.values import Values

Array = NDArray[np.generic]


class Judged(NamedTuple):
    """One result of a call, and what the comparison with the reference says."""

    quantity: Quantity
    got: Array
    compared: Comparison


@dataclass(frozen=True)
class JudgedCall:
    """One call of a sequence.

    Attributes:
        trial: its layer and input size.
        values: its data, integers whose results are exact.
        operation: forward or backward.
        launch: how it is put to a device.
    """

    trial: Trial
    values: Values
    operation: Operation = Operation.FORWARD
    launch: Launch = "direct"

    @cached_property
    def call(self) -> Call:
        """The call; it takes over the buffers of the call before where shapes allow."""
        return replace(self.trial.call(self.operation, self.values, "reused"), launch=self.launch)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What the call returns."""
        if self.operation is Operation.FORWARD:
            return ("output",)
        return GRADIENTS if self.values.bias is not None else GRADIENTS[:-1]

    def judged(self, outcome: Outcome | None, but: Sequence[str] = ()) -> Iterator[Judged]:
        """The results that came back with the shape and dtype of the contract, each compared with the reference.

        Args:
            outcome: of the call.
            but: quantities that are not to be looked at.
        """
        for quantity in self.quantities:
            got = self.trial.array(outcome, quantity)
            if got is None or got.size == 0 or quantity in but:
                continue
            profile = self.trial.capabilities.promised(self.trial.case, quantity)
            yield Judged(quantity, got, compare_integers(got, self._expected, quantity, profile))

    def judged_again(self, outcome: Outcome | None) -> Iterator[Judged]:
        """As `judged`, of the first answer with other bits than the first of all, where the call was made many times.

        Where the same bits are promised, an answer that may be right is wrong if it is not the first one.
        """
        if not isinstance(outcome, Returned) or not outcome.others:
            return
        other = replace(outcome, arrays=outcome.other)
        for quantity in self.quantities:
            if self.trial.array(other, quantity) is None:
                yield Judged(quantity, np.empty(0), Comparison(Status.FAIL, 1))
        for quantity, got, compared in self.judged(other):
            first = self.trial.array(outcome, quantity)
            if first is not None and self._repeatable(quantity) and compared.status is Status.PASS:
                compared = compare_exact(got, first, np.ones(got.shape, bool), quantity)  # noqa: PLW2901
            yield Judged(quantity, got, compared)

    def _repeatable(self, quantity: Quantity) -> bool:
        return self.trial.capabilities.promised(self.trial.case, quantity).repeatable

    @cached_property
    def _expected(self) -> Expected:
        known = vars(self.trial).get("integers")  # several calls of a sequence have the contents of the case
        return self.trial.expected_integers if self.values is known else Expected(self.trial.case, self.values)


def stale(got: Array, earlier: Sequence[Array | None]) -> str:
    """The end of a sentence on a wrong result: whether it is that of an earlier call."""
    same = any(before is not None and np.array_equal(got, before) for before in earlier)
    return ": it is the result of an earlier call" if same else ""
