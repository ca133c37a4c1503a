"""Histories of calls as a state machine of Hypothesis, which finds one that fails and shrinks it.

A machine's state is the last step; its rules make the next one, alike but for one thing. Two of them have other threads
call meanwhile, each with tensors of its own. Choices come from seed and
number of the history (`convcheck.strategies.provider`), so that the same seed gives the same histories in any
process; they do not depend on what the candidate does, so that a candidate that errs now and then cannot confuse
Hypothesis. Shrinking is Hypothesis' own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from convcheck.judging.history_search import FailingHistoryError, Search
from convcheck.judging.playing import Playing, failing, number_of_calls, of_state
from convcheck.model.calls import Operation
from convcheck.model.capabilities import Capabilities
from convcheck.model.case import Case
from convcheck.model.history import History, Step
from convcheck.model.verdicts import Status, Verdict
from convcheck.strategies.draws import Draw, from_hypothesis, pick
from convcheck.strategies.neighbours import SEEDS, first_layer, rearranged, resized, traded, with_other_bias

MOST_THREADS: Final = 3
"""Threads that call at the same time: two meet in one workspace, three in one of two that take turns."""

_SEEDS: Final = st.integers(0, SEEDS)


def _has_bias(machine: HistoryMachine) -> bool:
    return bool(machine.last.case.arguments.bias)


def _goes_back(machine: HistoryMachine) -> bool:
    return machine.last.operation is Operation.BACKWARD


def _has_gradients(machine: HistoryMachine) -> bool:
    return machine.capabilities.gradients


def _has_dtypes(machine: HistoryMachine) -> bool:
    return len(machine.dtypes) > 1


def _has_threads(machine: HistoryMachine) -> bool:
    return machine.capabilities.thread_safe


class HistoryMachine(RuleBasedStateMachine):
    """One history in the making.

    Args:
        search: the run that it is part of.
    """

    def __init__(self, search: Search) -> None:
        super().__init__()
        self.capabilities: Capabilities = search.candidate.capabilities
        self.dtypes = tuple(d for d in self.capabilities.dtypes if d in (search.dtypes or self.capabilities.dtypes))
        self._search = search
        self._history: History = ()
        self._playing: Playing | None = None
        self._judged = False
        self._over = False
        self._wrong = False

    @property
    def last(self) -> Step:
        """The last step; of calls at the same time, the first."""
        return self._history[-1].calls[0]

    @initialize(data=st.data())
    def a_first_layer(self, data: Any) -> None:
        step = Step.of(self._layer(data))
        backward = self.capabilities.gradients and from_hypothesis(data.draw)(0, 1)
        self._make(replace(step, operation=Operation.BACKWARD) if backward else step)

    @rule()
    def the_same_call_again(self) -> None:
        self._make(self.last)

    @rule(seed=_SEEDS)
    def x_changed_in_place(self, seed: int) -> None:
        self._make(replace(self.last, case=replace(self.last.case, seed=seed)))

    @rule(seed=_SEEDS)
    def weight_changed_in_place(self, seed: int) -> None:
        self._make(replace(self.last, weight=seed))

    @precondition(_has_bias)
    @rule(seed=_SEEDS)
    def bias_changed_in_place(self, seed: int) -> None:
        self._make(replace(self.last, bias=seed))

    @precondition(_goes_back)
    @rule(seed=_SEEDS)
    def grad_output_changed_in_place(self, seed: int) -> None:
        self._make(replace(self.last, grad_output=seed))

    @rule(seed=_SEEDS)
    def x_weight_bias_and_grad_output_changed_in_place(self, seed: int) -> None:
        self._make(self.last.of_data(seed))

    @rule(data=st.data())
    def another_image_size(self, data: Any) -> None:
        self._make_near(data, resized)

    @rule(data=st.data())
    def another_share_of_padding(self, data: Any) -> None:
        self._make_near(data, traded)

    @rule(data=st.data())
    def another_stride(self, data: Any) -> None:
        self._make_near(data, partial(rearranged, names=("stride",)))

    @rule(data=st.data())
    def another_padding(self, data: Any) -> None:
        self._make_near(data, partial(rearranged, names=("padding", "padding_mode")))

    @rule(data=st.data())
    def another_dilation(self, data: Any) -> None:
        self._make_near(data, partial(rearranged, names=("dilation",)))

    @rule(data=st.data())
    def another_shape_of_the_weight(self, data: Any) -> None:
        self._make_near(data, partial(rearranged, names=("kernel_size", "groups", "out_channels")))

    @rule()
    def bias_dropped_or_added(self) -> None:
        self._make(self.last.of_layer(with_other_bias(self.last.case)))

    @precondition(_has_dtypes)
    @rule(data=st.data())
    def another_dtype(self, data: Any) -> None:
        others = [dtype for dtype in self.dtypes if dtype != self.last.case.dtype]
        self._make(self.last.of_layer(replace(self.last.case, dtype=pick(from_hypothesis(data.draw), others))))

    @precondition(_has_gradients)
    @rule()
    def the_other_operation(self) -> None:
        forward = self.last.operation is Operation.FORWARD
        self._make(replace(self.last, operation=Operation.BACKWARD if forward else Operation.FORWARD))

    @rule()
    def the_first_call_again(self) -> None:
        self._make(self._history[0])

    @rule(data=st.data())
    def an_earlier_call_again(self, data: Any) -> None:
        self._make(pick(from_hypothesis(data.draw), self._calls))

    @rule(data=st.data())
    def an_unrelated_layer(self, data: Any) -> None:
        self._make(self.last.of_layer(self._layer(data)))

    @precondition(_has_threads)
    @rule(data=st.data())
    def other_data_in_other_threads(self, data: Any) -> None:
        self._make_beside(data, lambda draw: self.last.of_data(draw(0, SEEDS)))

    @precondition(_has_threads)
    @rule(data=st.data())
    def other_calls_in_other_threads(self, data: Any) -> None:
        def other(draw: Draw) -> Step:
            if draw(0, 1):
                return self.last.of_layer(resized(draw, self.capabilities, self.last.case))
            return pick(draw, self._calls)

        self._make_beside(data, other)

    def teardown(self) -> None:
        """Count the history, unless there is a failure already: what comes after it are attempts to shrink it."""
        search = self._search
        # a single call is no history: Hypothesis gives up some for want of a rule
        if search.failures or search.error or len(self._history) < 2:
            return
        search.ran += 1
        search.ended += self._wrong
        search.passed += self._judged and not self._wrong
        search.vacuous += not self._judged and not self._wrong

    @property
    def _calls(self) -> tuple[Step, ...]:
        return tuple(call for step in self._history for call in step.calls)

    def _layer(self, data: Any) -> Case:
        return first_layer(from_hypothesis(data.draw), self.capabilities, self.dtypes)

    def _make_near(self, data: Any, near: Callable[[Draw, Capabilities, Case], Case]) -> None:
        self._make(self.last.of_layer(near(from_hypothesis(data.draw), self.capabilities, self.last.case)))

    def _make_beside(self, data: Any, other: Callable[[Draw], Step]) -> None:
        """Make the last call again, and at the same time others in other threads."""
        draw = from_hypothesis(data.draw)
        others = [other(draw) for _ in range(draw(1, MOST_THREADS - 1))]
        self._make(Step.at_once([self.last, *others]))

    def _make(self, step: Step) -> None:
        """Make a step, and judge it; once something is wrong that no state explains, or calls are spent, only note it.

        Raises:
            FailingHistoryError: the step is wrong because of those before it.
        """
        search = self._search
        self._history = (*self._history, step)
        self._over = self._over or not search.leads_somewhere(self._history)
        if self._over:
            if search.failures:
                reject()  # an attempt to shrink, which has come to nothing
            return
        try:
            failure = self._called(step)
        except Exception as error:  # noqa: BLE001  (not the candidate's: Hypothesis would take it for a failure to shrink)
            search.error = error
            self._over = True
            return
        if failure is not None and not search.excluded(step.case, failure):
            search.ran += not search.failures
            search.failures[self._history] = failure
            raise FailingHistoryError(self._history, failure)

    def _called(self, step: Step) -> Verdict | None:
        search = self._search
        if self._history in search.hung:
            return search.failures[self._history]
        if self._playing is None:
            self._playing = Playing(search.candidate, search.ask)
        verdicts = self._playing.make(step)
        self._judged |= any(verdict.status is Status.PASS for verdict in verdicts)
        if search.failures:
            search.calls_left -= number_of_calls(step)
        wrong = failing(verdicts)
        self._wrong = self._over = bool(wrong)
        return of_state(search.candidate, search.ask, wrong, self._history)
