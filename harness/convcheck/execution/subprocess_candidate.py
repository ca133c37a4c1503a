"""A candidate in a worker process of its own: it may die or hang, and the run goes on.

The judge stays on this side with the reference; only calls and outcomes cross. The call in flight is
known here before it is made, so a crash has a case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from convcheck.execution.channel import Channel
from convcheck.execution.codec import MessageError
from convcheck.execution.crash_analysis import explain
from convcheck.execution.launch import Launcher, trusted
from convcheck.execution.messages import TO_JUDGE, Answer, Calls, CallsAtOnce, Failed, Ready
from convcheck.execution.process import WorkerProcess
from convcheck.model.calls import Call, Died, Hung, Outcome
from convcheck.model.capabilities import Capabilities
from convcheck_reference.errors import ConvcheckError

CALL_LIMIT: Final = 60.0
"""Seconds after which a call counts as hung, unless told otherwise."""

LONGER: Final = 4.0
"""How much longer a call that seems to hang is given when it is made again: a loaded machine is slow, not for ever."""

_START_LIMIT: Final = 300.0


class WorkerStartError(ConvcheckError, RuntimeError):
    """The worker process ended, or was silent, before the backend was loaded."""


class SubprocessCandidate:
    """A backend in a worker process.

    Args:
        spec: what `convcheck.plugin.registry.load` takes.
        limit: seconds that a call may take.
        launcher: how its worker is started; `convcheck.execution.launch.untrusted` for a candidate that
            may have been written to pass.

    Raises:
        ConvcheckError: the backend cannot be loaded; the error of the registry, as raised in the worker.
        WorkerStartError: the worker ended while it loaded the backend.
    """

    def __init__(self, spec: str, limit: float = CALL_LIMIT, launcher: Launcher = trusted) -> None:
        self._spec = spec
        self._limit = limit
        self._number = 0
        self._hangs = False
        self._process = WorkerProcess(launcher(spec))
        self._connect()

    @property
    def name(self) -> str:
        """The backend's name."""
        return self._ready.name

    @property
    def capabilities(self) -> Capabilities:
        """What the backend says it supports."""
        return self._ready.capabilities

    @property
    def versions(self) -> Mapping[str, str]:
        """The backend's versions and settings."""
        return self._ready.versions

    def call(self, call: Call) -> Outcome:
        """Make one call in the worker; a worker that died or hung is replaced before this returns."""
        return self.call_all((call,))[0]

    def call_all(self, calls: Sequence[Call]) -> list[Outcome]:
        """Make calls in order, all sent at once.

        The first without an answer is the one in which the worker died or hung; those after it are put to
        the replacement. One that hung is made again, and has only hung if it does so there as well.
        """
        outcomes: list[Outcome] = []
        while len(outcomes) < len(calls):
            fault = self._answers(Calls(self._number, tuple(calls[len(outcomes) :])), outcomes)
            if isinstance(fault, Hung) and not self._hangs:
                self.restart()
                fault = self._with_more_time(Calls(self._number, (calls[len(outcomes)],)), outcomes)
            if fault is not None:
                self.restart()
                if isinstance(fault, Died):
                    fault = replace(fault, fault=explain(calls[len(outcomes)], self._dies))
                outcomes.append(fault)
        return outcomes

    def call_at_once(self, threads: Sequence[Sequence[Call]]) -> Sequence[Sequence[Outcome]]:
        """Make the calls of several threads at the same time in the worker; all together have the time of one call."""
        outcomes: list[Outcome] = []
        made = tuple(map(tuple, threads))
        fault = self._answers(CallsAtOnce(self._number, made), outcomes)
        if isinstance(fault, Hung) and not self._hangs:
            self.restart()
            outcomes.clear()
            fault = self._with_more_time(CallsAtOnce(self._number, made), outcomes)
        if fault is not None:
            self.restart()
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
            self.restart()
        return isinstance(fault, Died)

    def _answers(self, calls: Calls | CallsAtOnce, outcomes: list[Outcome]) -> Outcome | None:
        """Add the outcomes of `calls` until one is missing: then why, else None."""
        self._number = calls.first + calls.answers  # no number comes twice
        try:
            self._channel.send(calls, self._limit)
            for number in range(calls.first, calls.first + calls.answers):
                answer = self._channel.receive(self._limit)
                if not isinstance(answer, Answer) or answer.number != number:
                    return Died(
                        "it was answered more than once, or not by the worker's own program", self._process.stderr()
                    )
                outcomes.append(answer.outcome)
        except TimeoutError:
            return Hung(self._limit)
        except MessageError as error:
            return Died(f"it wrote to the judge's connection: {error}", self._process.stderr())
        except (EOFError, OSError):
            return Died(self._process.end(), self._process.stderr())
        return None

    def restart(self) -> None:
        """Replace the worker by a fresh one."""
        self._channel.close()
        self._process.end()
        self._connect()

    def close(self) -> None:
        """End the worker."""
        self._channel.close()
        self._process.close()

    def _connect(self) -> None:
        self._channel = Channel(self._process.worker(), TO_JUDGE)
        try:
            ready = self._channel.receive(_START_LIMIT)
        except (EOFError, OSError, MessageError):
            ready = None
        if isinstance(ready, Ready):
            self._ready = ready
            return
        how, stderr = self._process.end(), self._process.stderr()
        self.close()
        if isinstance(ready, Failed):
            raise ready.error()
        raise WorkerStartError(f"no worker of {self._spec!r} was ready within {_START_LIMIT:g} s: {how}\n{stderr}")
