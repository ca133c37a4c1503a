"""Who watches an untrusted candidate: a process between the judge and it, which it cannot reach.

It is the first process of the candidate's namespace, so that nothing in there outlives it, and it ends with the judge's
connection. It alone reads the trace of what is called, and tells the judge.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
from typing import Final

from convcheck.execution.channel import Channel
from convcheck.execution.codec import Makers, MessageError
from convcheck.execution.confinement import trace
from convcheck.execution.confinement.sightings import Seen, Sighted, Standing, Standings
from convcheck.execution.confinement.walls import Walls

_ASKED: Final[Makers] = {"Seen": Seen, "Standing": Standing}
_KILLED: Final = -int(signal.SIGKILL)


def supervise(candidate: int, judge: socket.socket, descriptor: int, walls: Walls) -> int:
    """Watch a candidate's process until it ends, or the judge does; how it ended.

    Args:
        candidate: its process, a child of this one.
        judge: the connection to the judge.
        descriptor: that the candidate's trace is read from.
        walls: what stands around it.
    """
    reader, channel = trace.Reader(descriptor), Channel(judge, _ASKED)
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
                elif key.data == "judge" and not _answered(channel, reader, walls):
                    return _KILLED
                elif key.data == "child":
                    os.read(key.fd, 4096)


def _answered(channel: Channel, reader: trace.Reader, walls: Walls) -> bool:
    """Answer the judge; whether it is still there."""
    try:
        asked = channel.receive()
        if isinstance(asked, Standing):
            channel.send(Standings(walls))
        else:
            names = reader.before(asked.number)
            channel.send(Sighted(names=names or (), watched=names is not None))
    except (EOFError, OSError, MessageError):
        return False
    return True


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
