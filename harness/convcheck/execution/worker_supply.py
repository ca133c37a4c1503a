"""Workers of one backend: one in use and, where starting takes long, some that are started ahead."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass
from typing import Final

from convcheck.execution.channel import Channel
from convcheck.execution.codec import MessageError
from convcheck.execution.launch import Launcher
from convcheck.execution.messages import TO_JUDGE, Failed, Ready, Reload
from convcheck.execution.process import WorkerProcess
from convcheck.execution.start_ration import StartRation
from convcheck_reference.errors import ConvcheckError

_START_LIMIT: Final = 300.0

MOST_AHEAD: Final = 4
"""Workers that are started ahead, one more for each that died: each holds memory of the device."""


class WorkerStartError(ConvcheckError, RuntimeError):
    """The worker process ended, or was silent, before the backend was loaded."""


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

    Raises:
        ConvcheckError: the backend cannot be loaded; the error of the registry, as raised in the worker.
        WorkerStartError: the worker ended while it loaded the backend.
    """

    def __init__(self, spec: str, launcher: Launcher, most_ahead: int = MOST_AHEAD) -> None:
        self._spec = spec
        self._launcher = launcher
        self._ration = StartRation()
        self._ahead = deque[Worker]()
        self._most_ahead = min(most_ahead, os.cpu_count() or 1)
        self._wanted = 1
        self.worker = self._launched(WorkerProcess(launcher(spec)))
        self.ready = self._received(self.worker.begun)

    @property
    def slow(self) -> bool:
        """Whether a worker takes long to start."""
        return self._ration.slow

    @property
    def worth_it(self) -> bool:
        """Whether a fresh worker is worth the time that it takes now."""
        return self._ration.allows(self._ahead[0].begun if self._ahead else self._ration.clock())

    def replace(self, *, died: bool) -> None:
        """A fresh worker in place of the one in use, which is ended if it has not died."""
        asked = self._ration.clock()
        self._wanted = min(self._most_ahead, self._wanted + died)
        self.worker.channel.close()
        self.worker.process.end()
        if self._ahead:
            self.worker.process.close()
            self.worker = self._ahead.popleft()
        else:
            self.worker = self._launched(self.worker.process)
        self.ready = self._received(asked)

    def reload(self) -> bool:
        """A fresh backend in the worker in use; whether there is one."""
        try:
            self.worker.channel.send(Reload(), _START_LIMIT)
            answer = self.worker.channel.receive(_START_LIMIT)
        except (EOFError, OSError, MessageError):
            return False
        return isinstance(answer, Ready)

    def close(self) -> None:
        """End every worker."""
        for worker in (self.worker, *self._ahead):
            worker.channel.close()
            worker.process.close()
        self._ahead.clear()

    def _launched(self, process: WorkerProcess) -> Worker:
        return Worker(process, Channel(process.worker(), TO_JUDGE), self._ration.clock())

    def _received(self, asked: float) -> Ready:
        """What the worker in use says when it has loaded the backend; others are started if that took long."""
        try:
            ready = self.worker.channel.receive(_START_LIMIT)
        except (EOFError, OSError, MessageError):
            ready = None
        if isinstance(ready, Ready):
            self._ration.started(ready.seconds, self.worker.begun, asked)
            while self._ration.slow and len(self._ahead) < self._wanted:
                self._ahead.append(self._launched(WorkerProcess(self._launcher(self._spec))))
            return ready
        how, stderr = self.worker.process.end(), self.worker.process.stderr()
        self.close()
        if isinstance(ready, Failed):
            raise ready.error()
        raise WorkerStartError(f"no worker of {self._spec!r} was ready within {_START_LIMIT:g} s: {how}\n{stderr}")
