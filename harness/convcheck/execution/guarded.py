"""A process under a guardian, as the judge sees it; see `convcheck.execution.guardian`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROGRAM: Final = Path(__file__).with_name("guardian.py")
_ANSWER: Final = 10.0
"""Seconds in which a guardian answers, whatever the machine is busy with."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the guardian knows.

    Attributes:
        status: how the process ended; None while it runs.
        left: the processes that had lost their parent, and were ended: number and command of each.
        why: it ended the worker; empty if it did not.
        output: the end of what was printed since it was asked last.
        stopped: whether somebody had stopped the process or the guardian.
    """

    status: int | None = None
    left: tuple[tuple[int, str], ...] = ()
    why: str = ""
    output: str = ""
    stopped: bool = False


class Guarded:
    """A process that is ended, with all that descends from it, when this one is gone.

    Args:
        command: what it runs.
        environment: of the process.
        folder: in which it works.
        keep: the descriptor that it gets.
        memory: bytes that it and its descendants may have; 0 for any number.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: str, keep: int, memory: int
    ) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  (our own program)
                [sys.executable, "-I", "-S", str(_PROGRAM), str(theirs.fileno())],
                pass_fds=[theirs.fileno(), keep],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._connection = ours
        task = {"command": [*command], "environment": {**environment}, "folder": folder, "keep": keep, "memory": memory}
        ours.sendall(json.dumps(task).encode() + b"\n")

    def report(self, *, sweep: float | None = None, forget: bool = False) -> Report:
        """What the guardian knows now.

        Args:
            sweep: seconds after which the processes that have lost their parent are ended; None to let them be.
            forget: it starts anew: what was printed and done belongs to a worker that is gone.
        """
        return self._asked(None, sweep, forget=forget)

    def end(self, grace: float = 0.0, sweep: float | None = None) -> Report:
        """End the process, and all that descends from it.

        Args:
            grace: seconds that it has to end by itself.
            sweep: seconds that those which it leaves behind have to end by themselves; None to end them with it.
        """
        report = self._asked(grace, sweep, forget=True)
        self._connection.close()  # after which it ends itself
        try:
            self._process.wait(_ANSWER)
        except subprocess.TimeoutExpired:
            self._process.kill()  # the system ends those below it
            self._process.wait()
        return report

    def is_stopped(self) -> bool:
        """Whether somebody has stopped the guardian."""
        if not hasattr(os, "waitid"):
            return False
        with suppress(ChildProcessError):
            return os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None
        return False

    def _asked(self, end: float | None, sweep: float | None, *, forget: bool) -> Report:
        stopped = self.is_stopped()
        if stopped:
            self._process.send_signal(signal.SIGCONT)
        question = {"end": end, "sweep": sweep, "forget": forget}
        deadline = time.monotonic() + (end or 0.0) + (sweep or 0.0) + _ANSWER
        try:
            self._connection.sendall(json.dumps(question).encode() + b"\n")
            answer = json.loads(self._line(deadline))
        except (OSError, EOFError):
            return Report(stopped=stopped)
        answer["left"] = tuple((pid, command) for pid, command in answer["left"])
        answer["stopped"] |= stopped
        return Report(**answer)

    def _line(self, deadline: float) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            self._connection.settimeout(max(0.001, deadline - time.monotonic()))
            received = self._connection.recv(1 << 16)
            if not received:
                raise EOFError
            line += received
        return line
