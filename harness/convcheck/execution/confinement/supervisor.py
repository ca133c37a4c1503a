"""Who watches an untrusted candidate: a process between the judge and it, which it cannot reach.

It is the first process of the candidate's namespace, so that nothing in there outlives it, and it ends with the judge's
connection. It alone reads the trace of what is called, and tells the judge.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from contextlib import suppress
from typing import Final

from convcheck.execution.channel import Channel
from convcheck.execution.codec import Makers, MessageError
from convcheck.execution.confinement import trace
from convcheck.execution.confinement.sightings import Left, Remaining, Seen, Sighted, Standing, Standings
from convcheck.execution.confinement.walls import Walls
from convcheck.execution.processes import command_of, descendants, may_have_children

_ASKED: Final[Makers] = {"Seen": Seen, "Standing": Standing, "Remaining": Remaining}
_LINGERING: Final = 0.3
"""Seconds in which the children of a candidate that has ended are gone, if they end with it."""
_KILLED: Final = -int(signal.SIGKILL)


def supervise(candidate: int, judge: socket.socket, descriptor: int, walls: Walls) -> int:
    """Watch a candidate's process until it ends, or the judge does or says so, and end all that is left; how it ended.

    Args:
        candidate: its process, a child of this one.
        judge: the connection to the judge.
        descriptor: that the candidate's trace is read from.
        walls: what stands around it.
    """
    channel = Channel(judge, _ASKED)
    status = _watched(candidate, judge, channel, trace.Reader(descriptor), descriptor, walls)
    left = _left(candidate, 0.0 if status is None else _LINGERING)
    with suppress(OSError):
        channel.send(Left(tuple((pid, command_of(pid)) for pid in left)))
    _end_all()
    return _KILLED if status is None else status


def _watched(
    candidate: int, judge: socket.socket, channel: Channel, reader: trace.Reader, descriptor: int, walls: Walls
) -> int | None:
    """How the candidate ended by itself; None if it is to be ended."""
    with selectors.DefaultSelector() as waiting:
        waiting.register(_ends_of_children(), selectors.EVENT_READ, "child")
        waiting.register(descriptor, selectors.EVENT_READ, "trace")
        waiting.register(judge, selectors.EVENT_READ, "judge")
        while True:
            status = _reaped(candidate)
            if status is not None:
                return status
            for key, _ in waiting.select():
                if key.data == "trace":
                    reader.read()
                elif key.data == "judge" and not _answered(candidate, channel, reader, walls):
                    return None
                elif key.data == "child":
                    os.read(key.fd, 4096)


def _answered(candidate: int, channel: Channel, reader: trace.Reader, walls: Walls) -> bool:
    """Answer the judge; whether it wants to know more."""
    try:
        asked = channel.receive()
        if isinstance(asked, Remaining):
            return False
        if isinstance(asked, Standing):
            channel.send(Standings(walls))
        else:
            names = reader.before(asked.number)
            children = _beside(candidate) if may_have_children(candidate) else ()
            channel.send(Sighted(names or (), watched=names is not None, children=children))
    except (EOFError, OSError, MessageError):
        return False
    return True


def _beside(candidate: int) -> tuple[int, ...]:
    return tuple(pid for pid in descendants(os.getpid()) if pid != candidate)


def _left(candidate: int, grace: float) -> tuple[int, ...]:
    """What is beside the candidate, some seconds later if it is not gone before."""
    until = time.monotonic() + grace
    while (left := _beside(candidate)) and time.monotonic() < until:
        time.sleep(0.01)
    return left


def _end_all() -> None:
    """Kill every process below this one, in sessions of their own too, until none is left."""
    while pids := descendants(os.getpid()):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(-1, 0)


def _reaped(candidate: int) -> int | None:
    """How the candidate ended, if it did; other children are let go."""
    while True:
        try:
            child, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return _KILLED
        if child == 0:
            return None
        if child == candidate:
            return os.waitstatus_to_exitcode(status)


def _ends_of_children() -> int:
    """A descriptor that can be read from when a child has ended."""
    reading, writing = os.pipe()
    for end in (reading, writing):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return reading
