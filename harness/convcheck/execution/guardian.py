"""The program of a guardian: the ancestor of a worker and of all that this starts. Nothing of a candidate runs in it.

A candidate may stop, kill or hang each process that its code runs in, and leave others behind, in sessions of their
own. The guardian is a process above them that adopts what loses its parent (a subreaper), so it can always end all of
them; it does so when the judge says so, and when the judge is gone. It also reads what they print, of which it keeps
the end, and looks at how much memory they have.

It is run as a script, by `convcheck.execution.guarded`, without site packages and the environment of Python, and starts
in milliseconds.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from convcheck.execution import processes
else:  # the package would import all that a judge needs
    sys.path.append(os.path.dirname(__file__))  # noqa: PTH120  (pathlib takes as long as all the rest)
    import processes

KEPT = 4000
"""Bytes of output that are kept."""

_TICK = 0.1
_SHARE = 50
"""Looking for processes may take a fiftieth of the time: a machine may have thousands."""


class Guardian:
    """Starts a process and ends it with all that descends from it.

    Args:
        judge: the connection to the judge.
        child: the process.
        printed: where what it prints can be read.
        most: bytes of memory that it and its descendants may have; 0 for any.
    """

    def __init__(self, judge: socket.socket, child: int, printed: int, most: int) -> None:
        self._judge = judge
        self._child = child
        self._printed = printed
        self._most = most
        self._output = bytearray()
        self._status: int | None = None
        self._why = ""
        self._known: list[int] = []
        self._next_search = 0.0
        self._poll = select.poll()
        self._poll.register(judge, select.POLLIN)
        self._poll.register(printed, select.POLLIN)
        if hasattr(os, "pidfd_open"):
            self._poll.register(os.pidfd_open(os.getppid()), select.POLLIN)  # readable when the judge is gone

    def serve(self, asked: bytes) -> None:
        """Answer the judge until it is gone or wants no more; it may have asked something already."""
        while True:
            while b"\n" in asked:
                line, _, asked = asked.partition(b"\n")
                answer = self._answer(**json.loads(line))
                self._judge.sendall(json.dumps(answer).encode() + b"\n")
            if not self._wait(_TICK):
                return
            with suppress(BlockingIOError):
                received = self._judge.recv(4096, socket.MSG_DONTWAIT)
                if not received:
                    return
                asked += received

    def end_all(self) -> None:
        """End everything that descends from this process."""
        while True:
            pids = processes.descendants(os.getpid()) or ([self._child] if self._status is None else [])
            for pid in pids:
                _kill(pid)
            self._reap()
            if not pids:
                return
            self._wait(0.01)

    def _answer(self, *, end: float | None, sweep: float | None, forget: bool) -> dict[str, object]:
        """What there is to say of the processes.

        Args:
            end: seconds that the process has to end by itself before it is ended; None to let it be.
            sweep: seconds that orphans have to end by themselves before they are ended; None to let them be.
            forget: whether what was printed and done so far belongs to a worker that is gone.
        """
        stopped = self._status is None and processes.is_stopped(self._child)
        if stopped:
            os.kill(self._child, signal.SIGCONT)
        if end is not None:
            self._wait_for_end(end)
        left = [] if sweep is None else self._left(sweep)
        if end is not None:
            self.end_all()
        self._read()
        output, why = self._output.decode(errors="replace"), self._why
        if forget:
            self._output.clear()
            self._why = ""
        return {"status": self._status, "left": left, "why": why, "output": output, "stopped": stopped}

    def _left(self, grace: float) -> list[list[object]]:
        """The orphans that are still there after some seconds, which are then ended: their numbers and commands."""
        until = time.monotonic() + grace
        while (orphans := processes.descendants(os.getpid(), but=self._child)) and time.monotonic() < until:
            self._wait(0.02)
        left: list[list[object]] = [[pid, processes.command_of(pid)] for pid in orphans]
        while orphans:
            for pid in orphans:
                _kill(pid)
            self._wait(0.01)
            orphans = processes.descendants(os.getpid(), but=self._child)
        return left

    def _wait_for_end(self, grace: float) -> None:
        until = time.monotonic() + grace
        while self._status is None and time.monotonic() < until:
            self._wait(0.01)
        while self._status is None:
            _kill(self._child)
            self._wait(0.01)

    def _wait(self, seconds: float) -> bool:
        """Wait for something to happen, and see to it; False if the judge is gone."""
        happened = dict(self._poll.poll(1000 * seconds))
        alive = not set(happened) - {self._judge.fileno(), self._printed}
        if self._printed in happened and not self._read():
            self._poll.unregister(self._printed)
        self._reap()
        self._look_at_memory()
        return alive

    def _read(self) -> bool:
        """Read what was printed; False if nobody can print any more."""
        with suppress(BlockingIOError):
            for _ in range(64):  # and then see to something else
                printed = os.read(self._printed, 1 << 16)
                if not printed:
                    return False
                self._output += printed
                del self._output[:-KEPT]
        return True

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._child:
                    self._status = os.waitstatus_to_exitcode(ended[1])

    def _look_at_memory(self) -> None:
        """End the worker if it and its descendants have more memory than they may."""
        if not self._most:
            return
        now = time.monotonic()
        if now > self._next_search:
            # the process that only forks others shares their memory
            self._known = processes.descendants(self._child) or [self._child]
            self._next_search = now + max(_TICK, _SHARE * (time.monotonic() - now))
        used = sum(map(processes.memory, self._known))
        if used > self._most:  # with what forks share in each of them
            used = sum(map(processes.share_of_memory, self._known))
        if used > self._most:
            self._why = f"it had {_gigabytes(used)} of memory; the limit is {_gigabytes(self._most)}"
            for pid in self._known:
                _kill(pid)
            self._known = []


def start(command: list[str], environment: dict[str, str], folder: str, keep: int) -> tuple[int, int]:
    """Start a process of its own session: its number, and where what it prints can be read.

    Args:
        command: with its arguments.
        environment: of the process.
        folder: in which it works.
        keep: the descriptor that it keeps, and this process does not.
    """
    printed, output = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()  # an interrupt at the keyboard is for the judge, a signal to its group not for the guardian
        processes.die_with_parent()
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.set_inheritable(keep, True)
        try:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)  # noqa: S606  (our own program)
        except OSError as error:
            os.write(2, f"{command[0]}: {error}\n".encode())
        os._exit(127)
    os.close(output)
    os.close(keep)
    os.set_blocking(printed, False)
    return child, printed


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB"


def main() -> None:
    """Serve the judge on the descriptor of the command line; the first line says what to start."""
    judge = socket.socket(fileno=int(sys.argv[1]))
    judge.set_inheritable(False)
    processes.adopt_orphans()
    received = b""
    while b"\n" not in received:
        received += (more := judge.recv(1 << 16))
        if not more:  # the judge is gone already
            return
    line, _, asked = received.partition(b"\n")
    task = json.loads(line)
    most = task.pop("memory")
    guardian = Guardian(judge, *start(**task), most)
    try:
        with suppress(BrokenPipeError, ConnectionResetError):
            guardian.serve(asked)
    finally:
        guardian.end_all()


if __name__ == "__main__":
    main()
