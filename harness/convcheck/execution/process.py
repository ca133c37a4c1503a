"""The process that workers come from, as the judge sees it."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Final

from convcheck.execution.channel import readable
from convcheck.execution.confinement.watcher import Watcher
from convcheck.execution.control import END, FORK, STATUS
from convcheck.execution.guarded import Guarded
from convcheck.execution.launch import Launch

BRIEFLY: Final = 1.0
"""Seconds in which a process that has closed its connection is gone, if that was its end, and in which the one that it
was forked from answers."""

_EXIT: Final = 2.0
"""Seconds that a process has for what it does at its exit."""

_ANSWER: Final = 5.0
"""Seconds in which it answers on a machine that is busy with something else."""

KILLED: Final = "killed by signal 9 (SIGKILL)"
"""How a worker ended that neither the judge nor its guardian has killed: the system was short of memory, say."""

ORPHANED: Final = "with the process that it was started by"
"""How a worker ended whose keeper or guardian somebody killed."""

LINGERING: Final = 0.3
"""Seconds in which the children of a worker that has ended are gone, if they end with it."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a worker ended.

    Attributes:
        how: in words; empty if it was running until the judge ended it.
        exceeded: whether it had more memory than it may have.
        left: the numbers and commands of the processes that it left behind; they are gone as well.
        stderr: the end of what it wrote to stdout and stderr.
        stopped: whether it had stopped one of the processes above it.
    """

    how: str = ""
    exceeded: bool = False
    left: tuple[tuple[int, str], ...] = ()
    stderr: str = ""
    stopped: bool = False


class WorkerProcess:
    """A process that gives one worker at a time; see `convcheck.execution.worker`.

    Args:
        launch: what starts it.
        memory: bytes that a worker may have; 0 for any number.
    """

    def __init__(self, launch: Launch, memory: int = 0) -> None:
        self._launch = launch
        self._memory = memory
        self._introduced = self._stopped = False
        self._worker: int | None = None
        self._watcher: Watcher | None = None
        self._ending: Ending | None = None
        self._start()

    def worker(self) -> socket.socket:
        """The connection to a fresh worker; the one before it has to be ended."""
        self._forget()
        ours, theirs = socket.socketpair()
        seen, seeing = socket.socketpair()
        with theirs, seeing:
            descriptors = [theirs.fileno(), *([seeing.fileno()] if self._launch.watched else [])]
            try:
                socket.send_fds(self._control, [FORK], descriptors)
            except OSError:  # the process was the worker before, or has died
                self.close()
                self._start()
                socket.send_fds(self._control, [FORK], descriptors)
        if self._launch.watched:
            self._watcher = Watcher(seen)
        else:
            seen.close()
        return ours

    @property
    def watcher(self) -> Watcher | None:
        """Who watches the worker; None where nobody does."""
        return self._watcher

    def fileno(self) -> int:
        """What can be read from when `is_over` has something new to say; −1 for nothing."""
        if not self._introduced:
            return self._control.fileno()
        return -1 if self._worker is None else self._worker

    def is_over(self) -> bool:
        """Whether the worker has ended; to be asked when the descriptor can be read from."""
        if self._introduced:
            return True
        with suppress(OSError):
            introduced, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
            if introduced:
                self._introduced, self._worker = True, next(iter(descriptors), None)
                return self._worker is not None and readable(self._worker, 0.0)
        return True

    def end(self, grace: float = BRIEFLY, lingering: float = LINGERING) -> Ending:
        """End the worker and what it left behind, and say how it ended.

        Args:
            grace: seconds that it has to end by itself.
            lingering: seconds that what it leaves behind has for that.
        """
        if self._ending is None:
            self._ending = self._ended(grace, lingering)
        return self._ending

    def discard(self) -> Ending:
        """End the worker, of which nobody wants to know any more than whether it stopped others."""
        if self._ending is None:
            self._left_by_confined()
            status = self._status()
            # what it has printed is not the next one's
            report = self._guarded.end(self._launch.grace) if status is None else self._guarded.report(forget=True)
            self._ending = Ending(stopped=report.stopped or self._stopped)
        return self._ending

    def has_stopped_others(self) -> bool:
        """Whether a process above the worker was stopped."""
        return self._guarded.is_stopped() or self._guarded.report().stopped

    def close(self) -> None:
        """End the process, its worker and all that descends from them."""
        self._control.close()
        self._guarded.end(max(_EXIT, self._launch.grace))
        self._forget()
        self._held.close()

    def _ended(self, grace: float, lingering: float) -> Ending:
        by_itself = self._is_introduced(grace) and self._worker is not None and readable(self._worker, grace)
        confined = self._left_by_confined()
        status = self._status()
        if status is None:
            report = self._guarded.end(max(grace, self._launch.grace) if by_itself else self._launch.grace, lingering)
            by_itself |= report.status not in (None, -signal.SIGKILL)
            status = report.status
        else:
            report = self._guarded.report(sweep=lingering, forget=True)
        how = report.why or (_how(status) if by_itself else "")
        stopped = report.stopped or self._stopped
        return Ending(how, bool(report.why), (*confined, *report.left), report.output, stopped)

    def _left_by_confined(self) -> tuple[tuple[int, str], ...]:
        """End a confined worker, and say what it left behind: what has namespaces of its own is ended with them."""
        return () if self._watcher is None else self._watcher.left()

    def _start(self) -> None:
        self._held = ExitStack()  # as long as the process lives
        folder = self._held.enter_context(TemporaryDirectory()) if self._launch.elsewhere else os.getcwd()  # noqa: PTH109
        ours, theirs = socket.socketpair()
        self._control: socket.socket = ours
        self._introduced = self._stopped = False
        interpreter = [*self._launch.wrapper, self._launch.interpreter, *self._launch.arguments]
        command = [*interpreter, str(theirs.fileno()), self._launch.spec]
        with theirs:
            self._guarded = Guarded(command, self._launch.environment, folder, theirs.fileno(), self._memory)

    def _is_introduced(self, seconds: float) -> bool:
        """Whether the worker has been forked, or is some seconds later."""
        if not self._introduced and readable(self._control, seconds):
            self.is_over()
        return self._introduced

    def _status(self) -> int | None:
        """End the worker; its status, or None if it was the process itself, or that does not answer."""
        if not self._is_introduced(BRIEFLY):
            return None
        try:
            self._control.sendall(END)
            if not readable(self._control, BRIEFLY):
                self._stopped = self._guarded.report().stopped  # which has woken it up
                self._control.settimeout(_ANSWER)
            answer = self._control.recv(STATUS.size, socket.MSG_WAITALL)
        except OSError:
            return None
        return int(STATUS.unpack(answer)[0]) if len(answer) == STATUS.size else None

    def _forget(self) -> None:
        """Forget the worker, and let go who watches it."""
        if self._worker is not None:
            os.close(self._worker)
        if self._watcher is not None:
            self._watcher.close()
        self._watcher = None
        self._worker, self._ending, self._introduced, self._stopped = None, None, False, False


def _how(status: int | None) -> str:
    if status is None:
        return ORPHANED
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by signal {-status} ({signal.Signals(-status).name})"
    except ValueError:  # a real-time signal has no name
        return f"killed by signal {-status}"
