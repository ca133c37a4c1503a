"""Workers of one backend: one in use and, where starting takes long, one that is started ahead."""

from __future__ import annotations

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


class WorkerStartError(ConvcheckError, RuntimeError):
    """The worker process ended, or was silent, before the backend was loaded."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker, and the process that it comes from."""

    process: WorkerProcess
    channel: Channel


class WorkerSupply:
    """Gives one worker at a time.

    Args:
        spec: of the backend.
        launcher: how its process is started.

    Raises:
        ConvcheckError: the backend cannot be loaded; the error of the registry, as raised in the worker.
        WorkerStartError: the worker ended while it loaded the backend.
    """

    def __init__(self, spec: str, launcher: Launcher) -> None:
        self._spec = spec
        self._launcher = launcher
        self._ration = StartRation()
        self._ahead: Worker | None = None
        self.worker = self._launched(WorkerProcess(launcher(spec)))
        self.ready = self._received()

    @property
    def ration(self) -> StartRation:
        """What fresh processes have cost."""
        return self._ration

    def replace(self) -> None:
        """A fresh worker in place of the one in use, which is ended."""
        self.worker.channel.close()
        self.worker.process.end()
        if self._ahead is None:
            self.worker = self._launched(self.worker.process)
        else:
            self.worker.process.close()
            self.worker, self._ahead = self._ahead, None
        self.ready = self._received()

    def reload(self, limit: float) -> bool:
        """A fresh backend in the worker in use; whether there is one within so many seconds."""
        try:
            self.worker.channel.send(Reload(), limit)
            answer = self.worker.channel.receive(_START_LIMIT)
        except (EOFError, OSError, MessageError):
            return False
        return isinstance(answer, Ready)

    def close(self) -> None:
        """End every worker."""
        for worker in (self.worker, *([] if self._ahead is None else [self._ahead])):
            worker.channel.close()
            worker.process.close()
        self._ahead = None

    def _launched(self, process: WorkerProcess) -> Worker:
        return Worker(process, Channel(process.worker(), TO_JUDGE))

    def _received(self) -> Ready:
        """What the worker in use says when it has loaded the backend; the next is started if that took long."""
        try:
            ready = self.worker.channel.receive(_START_LIMIT)
        except (EOFError, OSError, MessageError):
            ready = None
        if isinstance(ready, Ready):
            self._ration.started(ready.seconds)
            if self._ration.slow:
                self._ahead = self._launched(WorkerProcess(self._launcher(self._spec)))
                self._ration.starting_ahead()
            return ready
        how, stderr = self.worker.process.end(), self.worker.process.stderr()
        self.close()
        if isinstance(ready, Failed):
            raise ready.error()
        raise WorkerStartError(f"no worker of {self._spec!r} was ready within {_START_LIMIT:g} s: {how}\n{stderr}")
