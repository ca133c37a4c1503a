"""A call in a child that this process forks for it: the child has what the process had, but for its other threads."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from typing import Any, Final

from convcheck.execution.channel import Channel
from convcheck.execution.codec import MessageError
from convcheck.execution.messages import TO_JUDGE
from convcheck.model.calls import Raised, Returned

LIMIT: Final = 30.0
"""Seconds that a child may take: one that waits for a thread which it has not got waits for ever."""


def in_child(make: Callable[[], Returned | Raised], limit: float = LIMIT) -> Returned | Raised:
    """What a call comes to in a forked child; a child that ends or hangs counts as an error of its own kind.

    Args:
        make: makes the call.
        limit: seconds that it may take.
    """
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        try:
            Channel(theirs, {}).send(make())
        finally:
            os._exit(0)  # what the process would do at its exit is not the child's business
    theirs.close()
    channel, ended = Channel(ours, TO_JUDGE), ""
    try:
        found: Any = channel.receive(limit)
    except TimeoutError:
        ended = f"it did not return within {limit:g} s"
    except (EOFError, OSError, MessageError):
        ended = "it ended without a result"
    finally:
        channel.close()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if not ended and isinstance(found, Returned | Raised):
        return found
    return Raised("ChildProcessError", f"in a child that the process forked: {ended or 'it answered something else'}")
