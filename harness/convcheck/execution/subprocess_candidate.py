"""A candidate in a worker process of its own: it may die or hang, and the run goes on.

The judge stays on this side with the reference; only calls and outcomes cross. The call in flight is
known here before it is made, so a crash has a case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, Final

from convcheck.execution.answer_sizes import most_bytes
from convcheck.execution.codec import MessageError
from convcheck.execution.confinement import ConfinementError
from convcheck.execution.crash_analysis import explain
from convcheck.execution.launch import Launcher, trusted
from convcheck.execution.messages import Answer, Calls, CallsAtOnce, Lost, Twice
from convcheck.execution.offspring import Offspring
from convcheck.execution.patience import Patience
from convcheck.execution.process import KILLED, LINGERING, ORPHANED
from convcheck.execution.worker_supply import MOST_AHEAD, START_LIMIT, WorkerStartError, WorkerSupply
from convcheck.model.calls import Call, Died, Hung, Outcome, Raised, Returned
from convcheck.model.capabilities import Capabilities
from convcheck.model.guarantees import Guarantee

CALL_LIMIT: Final = 60.0
"""Seconds after which a call counts as hung, unless told otherwise."""

LONGER: Final = 4.0
"""How much longer a call that seems to hang is given when it is made again: a loaded machine is slow, not for ever."""

_EXIT: Final = 5.0
"""Seconds that a worker has for what its libraries do at its exit."""


class SubprocessCandidate:
    """A backend in a worker process.

    Args:
        spec: what `convcheck.plugin.registry.load` takes.
        limit: seconds that a call may take.
        launcher: how its worker is started; `convcheck.execution.launch.untrusted` for a candidate that
            may have been written to pass.
        most_ahead: workers that are started ahead at most, one more for each that died.
        start_limit: seconds that a start may take.
        memory: bytes that it may have; 0 for any number.

    Raises:
        ConvcheckError: the backend cannot be loaded; the error of the registry, as raised in the worker.
        WorkerStartError: the worker ended while it loaded the backend, or took longer.
    """

    def __init__(
        self,
        spec: str,
        limit: float = CALL_LIMIT,
        launcher: Launcher = trusted,
        most_ahead: int = MOST_AHEAD,
        start_limit: float = START_LIMIT,
        memory: int = 0,
    ) -> None:
        self._limit = limit
        self._number = 0
        self._hangs = False
        self._used = False
        self._failed_to_start = False
        self._owed: Died | None = None
        self._patience, self._offspring = Patience(), Offspring()
        self._supply = WorkerSupply(spec, launcher, most_ahead, start_limit, memory)
        watcher = self._supply.worker.process.watcher
        self._guarantees = () if watcher is None else watcher.guarantees()

    @property
    def name(self) -> str:
        """The backend's name."""
        return self._supply.ready.name

    @property
    def capabilities(self) -> Capabilities:
        """What the backend says it supports."""
        return self._supply.ready.capabilities

    @property
    def versions(self) -> Mapping[str, str]:
        """The backend's versions and settings."""
        return self._supply.ready.versions

    @property
    def guarantees(self) -> tuple[Guarantee, ...]:
        """What is guaranteed of the candidate, where it is not trusted."""
        return self._guarantees

    def call(self, call: Call) -> Outcome:
        """Make one call in the worker; a worker that died or hung is replaced before this returns."""
        return self.call_all((call,))[0]

    def call_all(self, calls: Sequence[Call]) -> list[Outcome]:
        """Make calls in order, all sent at once.

        The first without an answer is the one in which the worker died or hung; those after it are put to the
        replacement, unless one takes long to start, or nothing but hanging has come of these calls: then nothing else
        comes of them. One that hung is made again, and has only hung if it does so there as well; so is one in which
        somebody killed the worker.

        Raises:
            WorkerStartError: no fresh worker could be started, or the candidate has hung too often to be asked again.
        """
        outcomes: list[Outcome] = self._due() if calls else []
        while len(outcomes) < len(calls):
            fault = self._answers(Calls(self._number, tuple(calls[len(outcomes) :])), outcomes)
            if self._is_worth_repeating(fault):
                self._renew(died=True)
                fault = self._repeated(fault, Calls(self._number, (calls[len(outcomes)],)), outcomes)
            if fault is not None:
                self._renew(died=True)
                if isinstance(fault, Died) and not (fault.on_device or fault.misbehaved):
                    fault = replace(fault, fault=explain(calls[len(outcomes)], self._dies))
                outcomes.append(fault)
                # each call might end another process, which takes seconds to start, or wait in vain for as long
                if self._supply.slow or all(isinstance(outcome, Hung) for outcome in outcomes):
                    outcomes += [fault] * (len(calls) - len(outcomes))
        self._count(outcomes)
        return self._with_what_is_left(outcomes)

    def call_at_once(self, threads: Sequence[Sequence[Call]]) -> Sequence[Sequence[Outcome]]:
        """Make the calls of several threads at the same time in the worker; all together have the time of one call."""
        outcomes: list[Outcome] = self._due()
        made = tuple(map(tuple, threads))
        fault = outcomes.pop() if outcomes else self._answers(CallsAtOnce(self._number, made), outcomes)
        if self._is_worth_repeating(fault):
            self._renew(died=True)
            outcomes.clear()
            fault = self._repeated(fault, CallsAtOnce(self._number, made), outcomes)
        self._count([fault] if fault else outcomes)
        if fault is not None:
            self._renew(died=True)
            return [(fault,)] * len(made)
        answers = iter(self._with_what_is_left(outcomes))
        return [tuple(islice(answers, len(calls))) for calls in made]

    def _due(self) -> list[Outcome]:
        """What is due of the next call before it is made: that no fresh worker would start before."""
        if self._patience.is_over:
            raise WorkerStartError(f"no fresh worker is started any more: {self._patience.is_over}")
        owed, self._owed = self._owed, None
        self._offspring.next_calls()
        return [] if owed is None else [owed]

    def _is_worth_repeating(self, fault: Outcome | None) -> bool:
        """Whether what happened to a call may be no doing of the candidate: the machine is busy or short of memory."""
        if isinstance(fault, Died):
            return fault.how in (KILLED, ORPHANED)
        return isinstance(fault, Hung) and not self._hangs

    def _repeated(self, fault: Outcome | None, calls: Calls | CallsAtOnce, outcomes: list[Outcome]) -> Outcome | None:
        """Make calls again on a fresh worker, and add what comes of them; why nothing does, else None.

        What hung has more time. Once a candidate has hung twice in one call, its later calls are not made again: it
        hangs, and each would take the longer limit.
        """
        if not isinstance(fault, Hung):
            return self._answers(calls, outcomes)
        usual, self._limit = self._limit, LONGER * self._limit
        fault = self._answers(calls, outcomes)
        self._limit = usual
        self._hangs = isinstance(fault, Hung)
        return fault

    def _dies(self, call: Call) -> bool:
        fault = self._answers(Calls(self._number, (call,)), [])
        if fault is not None:
            self._renew(died=True)
        return isinstance(fault, Died)

    def _answers(self, calls: Calls | CallsAtOnce, outcomes: list[Outcome]) -> Outcome | None:
        """Add the outcomes of `calls` until one is missing: then why, else None."""
        self._number = calls.first + len(calls.in_order)  # no number comes twice
        self._used = True
        channel, process = self._supply.worker.channel, self._supply.worker.process
        try:
            channel.send(calls, self._limit)
            for number, call in enumerate(calls.in_order, calls.first):
                answer = channel.receive(self._limit, partial(most_bytes, call))
                if not isinstance(answer, Answer) or answer.number != number:
                    return self._last_words(answer)
                if process.watcher is not None:
                    answer = process.watcher.completed(answer)
                self._offspring.saw(len(outcomes), answer.children)
                outcomes.append(answer.outcome)
        except TimeoutError:
            return Hung(self._limit)
        except MessageError as error:
            return self._misbehaved(f"it wrote to the judge's connection: {error}")
        except (EOFError, OSError, ConfinementError):
            ending = process.end()
            if not ending.how:
                return self._misbehaved("it closed its connection to the judge")
            return Died(ending.how, ending.stderr, misbehaved=ending.exceeded)
        return None

    def _last_words(self, answer: Any) -> Died:
        """What a worker says in the place of an answer, after which nothing more comes of it."""
        if isinstance(answer, Lost):
            return Died(answer.reason, self._supply.worker.process.end().stderr, on_device=True)
        if isinstance(answer, Twice):
            return self._misbehaved("it answered twice, from two processes")
        return self._misbehaved("it was answered more than once, or not by the worker's own program")

    def _misbehaved(self, how: str) -> Died:
        """The end of a worker that the judge does not talk to any more."""
        return Died(how, self._supply.worker.process.end(0.0).stderr, misbehaved=True)

    def _count(self, outcomes: Sequence[Outcome]) -> None:
        hangs = sum(isinstance(outcome, Hung) for outcome in outcomes)
        answers = sum(isinstance(outcome, Returned | Raised) for outcome in outcomes)
        self._patience.saw(answers=answers, hangs=hangs)

    def _with_what_is_left(self, outcomes: list[Outcome]) -> list[Outcome]:
        """The outcomes, with the processes that calls have left behind."""
        if not self._offspring.suspicious:
            return outcomes
        self._supply.worker.channel.close()
        times = (_EXIT, LINGERING) if self._offspring.doubtful else (0.0, 0.0)
        left = self._offspring.left_by(self._supply.worker.process.end(*times).left)
        self._renew(died=False)
        return [
            replace(outcome, left=(*outcome.left, left[at]))
            if at in left and isinstance(outcome, Returned | Raised)
            else outcome
            for at, outcome in enumerate(outcomes)
        ]

    def restart(self) -> None:
        """Let the next call meet a fresh candidate: a worker; where starting one takes long, mostly a backend."""
        if not self._used:
            return
        self._used = False
        if self._supply.worth_it or not self._supply.reload():
            self._renew(died=False)

    def close(self) -> None:
        """End the worker."""
        self._supply.close()

    def replace(self) -> None:
        """A fresh worker, however long it takes: the end of this one is waited for, which is none of its doing."""
        self._renew(died=False)

    def _renew(self, *, died: bool) -> None:
        """A fresh worker in place of one that has died or hung, or has done its part.

        One that could not be started is what the next call comes to, and another is started; only once. So is one that
        stopped others.
        """
        self._used = False
        self._offspring.forget()
        try:
            if self._supply.replace(died=died):
                self._owed = Died("an earlier call stopped a process of the judge's", misbehaved=True)
        except WorkerStartError as error:
            if self._failed_to_start:
                raise
            self._failed_to_start = True
            self._owed = Died(str(error).partition("\n")[0], str(error), misbehaved=True)
            self._supply.start_again()
