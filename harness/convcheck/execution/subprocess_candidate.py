"""A candidate in a worker process of its own: it may die or hang, and the run goes on.

The judge stays on this side with the reference; only calls and outcomes cross. The call in flight is
known here before it is made, so a crash has a case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from convcheck.execution.codec import MessageError
from convcheck.execution.confinement import ConfinementError
from convcheck.execution.crash_analysis import explain
from convcheck.execution.launch import Launcher, trusted
from convcheck.execution.messages import Answer, Calls, CallsAtOnce, Lost
from convcheck.execution.worker_supply import MOST_AHEAD, WorkerSupply
from convcheck.model.calls import Call, Died, Hung, Outcome
from convcheck.model.capabilities import Capabilities
from convcheck.model.guarantees import Guarantee

CALL_LIMIT: Final = 60.0
"""Seconds after which a call counts as hung, unless told otherwise."""

LONGER: Final = 4.0
"""How much longer a call that seems to hang is given when it is made again: a loaded machine is slow, not for ever."""


class SubprocessCandidate:
    """A backend in a worker process.

    Args:
        spec: what `convcheck.plugin.registry.load` takes.
        limit: seconds that a call may take.
        launcher: how its worker is started; `convcheck.execution.launch.untrusted` for a candidate that
            may have been written to pass.
        most_ahead: workers that are started ahead at most, one more for each that died.

    Raises:
        ConvcheckError: the backend cannot be loaded; the error of the registry, as raised in the worker.
        WorkerStartError: the worker ended while it loaded the backend.
    """

    def __init__(
        self, spec: str, limit: float = CALL_LIMIT, launcher: Launcher = trusted, most_ahead: int = MOST_AHEAD
    ) -> None:
        self._limit = limit
        self._number = 0
        self._hangs = False
        self._used = False
        self._supply = WorkerSupply(spec, launcher, most_ahead)
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
        replacement, unless one takes long to start: then nothing else comes of them. One that hung is made again, and
        has only hung if it does so there as well.
        """
        outcomes: list[Outcome] = []
        while len(outcomes) < len(calls):
            fault = self._answers(Calls(self._number, tuple(calls[len(outcomes) :])), outcomes)
            if isinstance(fault, Hung) and not self._hangs:
                self._replace_dead()
                fault = self._with_more_time(Calls(self._number, (calls[len(outcomes)],)), outcomes)
            if fault is not None:
                self._replace_dead()
                if isinstance(fault, Died) and not fault.on_device:
                    fault = replace(fault, fault=explain(calls[len(outcomes)], self._dies))
                outcomes.append(fault)
                if self._supply.slow:  # each call might end another process, which takes seconds to start
                    outcomes += [fault] * (len(calls) - len(outcomes))
        return outcomes

    def call_at_once(self, threads: Sequence[Sequence[Call]]) -> Sequence[Sequence[Outcome]]:
        """Make the calls of several threads at the same time in the worker; all together have the time of one call."""
        outcomes: list[Outcome] = []
        made = tuple(map(tuple, threads))
        fault = self._answers(CallsAtOnce(self._number, made), outcomes)
        if isinstance(fault, Hung) and not self._hangs:
            self._replace_dead()
            outcomes.clear()
            fault = self._with_more_time(CallsAtOnce(self._number, made), outcomes)
        if fault is not None:
            self._replace_dead()
            return [(fault,)] * len(made)
        answers = iter(outcomes)
        return [tuple(islice(answers, len(calls))) for calls in made]

    def _with_more_time(self, calls: Calls | CallsAtOnce, outcomes: list[Outcome]) -> Outcome | None:
        """Make calls again on a fresh worker, and add what comes of them; why nothing does, else None.

        Once a candidate has hung twice in one call, its later calls are not made again: it hangs, and each would take
        the longer limit.
        """
        usual, self._limit = self._limit, LONGER * self._limit
        fault = self._answers(calls, outcomes)
        self._limit = usual
        self._hangs = isinstance(fault, Hung)
        return fault

    def _dies(self, call: Call) -> bool:
        fault = self._answers(Calls(self._number, (call,)), [])
        if fault is not None:
            self._replace_dead()
        return isinstance(fault, Died)

    def _answers(self, calls: Calls | CallsAtOnce, outcomes: list[Outcome]) -> Outcome | None:
        """Add the outcomes of `calls` until one is missing: then why, else None."""
        self._number = calls.first + calls.answers  # no number comes twice
        self._used = True
        channel, process = self._supply.worker.channel, self._supply.worker.process
        try:
            channel.send(calls, self._limit)
            for number in range(calls.first, calls.first + calls.answers):
                answer = channel.receive(self._limit)
                if isinstance(answer, Lost):
                    return Died(answer.reason, process.stderr(), on_device=True)
                if not isinstance(answer, Answer) or answer.number != number:
                    return Died("it was answered more than once, or not by the worker's own program", process.stderr())
                watcher = process.watcher
                outcomes.append(answer.outcome if watcher is None else watcher.completed(number, answer.outcome))
        except TimeoutError:
            return Hung(self._limit)
        except MessageError as error:
            return Died(f"it wrote to the judge's connection: {error}", process.stderr())
        except (EOFError, OSError, ConfinementError):
            return Died(process.end(), process.stderr())
        return None

    def restart(self) -> None:
        """Let the next call meet a fresh candidate: a worker; where starting one takes long, mostly a backend."""
        if not self._used:
            return
        self._used = False
        if self._supply.worth_it or not self._supply.reload():
            self._supply.replace(died=False)

    def close(self) -> None:
        """End the worker."""
        self._supply.close()

    def replace(self) -> None:
        """A fresh worker, however long it takes: the end of this one is waited for, which is none of its doing."""
        self._used = False
        self._supply.replace(died=False)

    def _replace_dead(self) -> None:
        """A fresh worker in place of one that has died or hung."""
        self._used = False
        self._supply.replace(died=True)
