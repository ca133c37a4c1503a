"""Workers of one backend: one in use and, where starting takes long, some that are started ahead."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass
from typing import Final

from convcheck.execution.channel import SMALL, Channel
from convcheck.execution.codec import MessageError
from convcheck.execution.launch import Launcher
from convcheck.execution.messages import MOST_TEXT, TO_JUDGE, Failed, Ready, Reload
from convcheck.execution.process import KILLED, ORPHANED, WorkerProcess
from convcheck.execution.start_ration import StartRation
from convcheck_reference.errors import ConvcheckError

START_LIMIT: Final = 60.0
"""Seconds that a start may take, unless told otherwise."""

_CLOSED: Final = "it closed its connection to the judge"

_LATER: Final = 30.0
"""Seconds that a later start may take, if the first was quick."""

_SLOWER: Final = 10.0
"""How much longer than the first a later one may take otherwise."""

MOST_AHEAD: Final = 4
"""Workers that are started ahead, one more for each that died: each holds memory of the device."""


def _small() -> int:
    return SMALL


class WorkerStartError(ConvcheckError, RuntimeError):
    """The worker process ended, or was silent, before the backend was loaded; or none is started any more."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker, the process that it comes from, and when its start was begun."""

    process: WorkerProcess
    channel: Channel
    begun: float


class WorkerSupply:
    """Gives one worker at a time.

    Args:
        spec: of the backend.
        launcher: how its process is started.
        most_ahead: workers that are started ahead at most, where starting takes long.
        limit: seconds that a start may take.
        memory: bytes that a worker may have; 0 for any number.

    Raises:
        ConvcheckError: the backend cannot be loaded; the error of the registry, as raised in the worker.
        WorkerStartError: the worker ended while it loaded the backend, or took longer.
    """

    def __init__(
        self,
        spec: str,
        launcher: Launcher,
        most_ahead: int = MOST_AHEAD,
        limit: float = START_LIMIT,
        memory: int = 0,
    ) -> None:
        self._spec = spec
        self._launcher = launcher
        self._limit = limit
        self._memory = memory
        self._ration = StartRation()
        self._ahead = deque[Worker]()
        self._most_ahead = min(most_ahead, os.cpu_count() or 1)
        self._wanted = min(1, self._most_ahead)
        self.worker = self._launched(self._process())
        self.ready = self._received(self.worker.begun)
        self._limit = min(limit, max(_LATER, _SLOWER * self.ready.seconds))

    @property
    def slow(self) -> bool:
        """Whether a worker takes long to start."""
        return self._ration.slow

    @property
    def worth_it(self) -> bool:
        """Whether a fresh worker is worth the time that it takes now."""
        return self._ration.allows(self._ahead[0].begun if self._ahead else self._ration.clock())

    def replace(self, *, died: bool) -> bool:
        """A fresh worker in place of the one in use, which is ended if it has not died.

        Returns:
            Whether that one had stopped a process above it.
        """
        asked = self._ration.clock()
        self._wanted = min(self._most_ahead, self._wanted + died)
        self.worker.channel.close()
        stopped = self.worker.process.discard().stopped
        if self._ahead:
            self.worker.process.close()
            self.worker = self._ahead.popleft()
        else:
            self.worker = self._launched(self.worker.process)
        self.ready = self._received(asked)
        return stopped

    def start_again(self) -> None:
        """A worker after `replace` has raised `WorkerStartError`; raises it if none can be started again."""
        self.worker = self._launched(self._process())
        self.ready = self._received(self.worker.begun)

    def reload(self) -> bool:
        """A fresh backend in the worker in use; whether there is one."""
        try:
            self.worker.channel.send(Reload(), self._limit)
            answer = self.worker.channel.receive(self._limit, _small)
        except (EOFError, OSError, MessageError):
            return False
        return isinstance(answer, Ready)

    def close(self) -> None:
        """End every worker."""
        for worker in (self.worker, *self._ahead):
            worker.channel.close()
            worker.process.close()
        self._ahead.clear()

    def _process(self) -> WorkerProcess:
        return WorkerProcess(self._launcher(self._spec), self._memory)

    def _launched(self, process: WorkerProcess) -> Worker:
        return Worker(process, Channel(process.worker(), TO_JUDGE, process, MOST_TEXT), self._ration.clock())

    def _received(self, asked: float, *, again: bool = True) -> Ready:
        """What the worker in use says when it has loaded the backend; others are started if that took long.

        One that somebody has killed meanwhile, or what it is started by, is started once more.
        """
        why = "it said something else"
        try:
            ready = self.worker.channel.receive(self._limit, _small)
        except TimeoutError:
            ready, why = None, f"it was not ready within {self._limit:g} s, and was ended"
        except (EOFError, OSError):
            ready, why = None, _CLOSED
        except MessageError as error:
            ready, why = None, f"it wrote to the judge's connection: {error}"
        if isinstance(ready, Ready) and self.worker.process.has_stopped_others():
            ready, why = None, "it stopped the process that it was started by"
        if isinstance(ready, Ready):
            self._ration.started(ready.seconds, self.worker.begun, asked)
            while self._ration.slow and len(self._ahead) < self._wanted:
                self._ahead.append(self._launched(self._process()))
            return ready
        ending = self.worker.process.end()
        if again and ready is None and why == _CLOSED and ending.how in ("", KILLED, ORPHANED):
            self.worker.channel.close()
            self.worker.process.close()
            self.worker = self._launched(self._process())
            return self._received(asked, again=False)
        self.close()
        if isinstance(ready, Failed):
            raise ready.error()
        raise WorkerStartError(f"no worker of {self._spec!r} could be started: {ending.how or why}\n{ending.stderr}")
