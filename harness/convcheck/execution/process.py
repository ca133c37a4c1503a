"""The process that workers come from, as the judge sees it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from typing import Final

from convcheck.execution.confinement.watcher import Watcher
from convcheck.execution.launch import Launch
from convcheck.execution.worker import END, FORK, STATUS

_STDERR_TAIL: Final = 4000
_GRACE: Final = 10.0
"""Seconds for a process that has closed its connections to be gone."""


class WorkerProcess:
    """A process that gives one worker at a time; see `convcheck.execution.worker`.

    Args:
        launch: what starts it.
    """

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._how = ""
        self._watcher: Watcher | None = None
        self._start()

    def worker(self) -> socket.socket:
        """The connection to a fresh worker; the one before it has to be ended."""
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
        self._forget_watcher()
        if self._launch.watched:
            self._watcher = Watcher(seen)
        else:
            seen.close()
        self._begun = self._errors.seek(0, os.SEEK_END)
        self._how = ""
        return ours

    @property
    def watcher(self) -> Watcher | None:
        """Who watches the worker; None where nobody does."""
        return self._watcher

    def end(self) -> str:
        """End the worker if it still runs, and say how it ended."""
        if not self._how:
            self._how = self._ended()
        return self._how

    def stderr(self) -> str:
        """The end of what the worker wrote to stdout and stderr."""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(self._begun, size - _STDERR_TAIL))
        return self._errors.read().decode(errors="replace")

    def close(self) -> None:
        """End the process and its worker."""
        self._control.close()
        self._forget_watcher()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=max(2.0, self._launch.grace))
        self._kill()
        self._process.wait()
        self._held.close()

    def _forget_watcher(self) -> None:
        if self._watcher is not None:
            self._watcher.close()
        self._watcher = None

    def _ended(self) -> str:
        status = self._status()
        if status is None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=self._launch.grace)
            self._kill()
            status = self._process.wait(timeout=_GRACE)
        if status < 0:
            return f"killed by signal {-status} ({signal.Signals(-status).name})"
        return f"exit status {status}"

    def _kill(self) -> None:
        """End the process, and what runs below it: behind a wrapper the worker is its child."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _start(self) -> None:
        self._held = ExitStack()  # as long as the process lives
        self._errors = self._held.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  (it is in one)
        self._begun = 0
        folder = self._held.enter_context(tempfile.TemporaryDirectory()) if self._launch.elsewhere else None
        ours, theirs = socket.socketpair()
        self._control: socket.socket = ours
        interpreter = [*self._launch.wrapper, sys.executable, *self._launch.arguments]
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  (our own module)
                [*interpreter, str(theirs.fileno()), self._launch.spec],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._errors,
                stderr=self._errors,
                env=self._launch.environment,
                cwd=folder,
                start_new_session=True,  # an interrupt at the keyboard is for the judge
            )

    def _status(self) -> int | None:
        """What the process says of its worker; None if it was the worker itself."""
        try:
            self._control.sendall(END)
            answer = self._control.recv(STATUS.size, socket.MSG_WAITALL)
        except OSError:
            return None
        return int(STATUS.unpack(answer)[0]) if len(answer) == STATUS.size else None
