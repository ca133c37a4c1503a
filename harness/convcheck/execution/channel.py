"""A channel between a judge and a worker: framed messages over a socket, with a deadline for the other side."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from convcheck.execution.codec import Makers, MessageError, decode, encode, padding

_FRAME: Final = struct.Struct("<QQ")
_CHUNK: Final = 1 << 16
"""Bytes that are asked for at once: what has arrived of the next message comes with this one."""
_JOINED: Final = 1 << 18
_LONGEST: Final = 1e9
"""Milliseconds that the system can be asked to wait."""

SMALL: Final = 1 << 24
"""Bytes that any message may have."""

MOST: Final = 1 << 40
"""Bytes that a message has at most, unless it is known to have fewer."""


def whatever() -> int:
    """The most bytes of a message of which nothing is known."""
    return MOST


class OtherSide(Protocol):
    """The process that has the other end, and may end while another one holds that open."""

    def fileno(self) -> int:
        """What can be read from when there is something to ask; −1 for nothing."""

    def is_over(self) -> bool:
        """Whether it has ended; asked when the descriptor can be read from."""


class _Anybody:
    """A process that nothing is known of."""

    def fileno(self) -> int:
        """Nothing to read from."""
        return -1

    def is_over(self) -> bool:
        """It is not known."""
        return False


def readable(descriptor: socket.socket | int, seconds: float) -> bool:
    """Whether something can be read, or is there some seconds later."""
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(1000 * seconds))


class Channel:
    """One end of a connected socket.

    Args:
        connected: the socket; the channel owns it.
        makers: the dataclasses that may be received.
        other_side: the process that sends them.
        most_header: bytes of a message that are no arrays' at most: to read them takes many times as much memory.
    """

    def __init__(
        self,
        connected: socket.socket,
        makers: Makers,
        other_side: OtherSide | None = None,
        most_header: int = MOST,
    ) -> None:
        self._socket = connected
        self._makers = makers
        self._other_side = other_side or _Anybody()
        self._most_header = most_header
        self._ahead = b""

    def send(self, message: Any, limit: float | None = None) -> None:
        """Send one message within `limit` seconds; None waits for ever.

        Raises:
            MessageError: it contains an array that is not numeric.
            TimeoutError: the other side does not read.
            OSError: the other side is gone.
        """
        header, arrays = encode(message)
        sizes = [(array.nbytes, padding(array)) for array in arrays]
        parts: list[Any] = [_FRAME.pack(len(header), sum(map(sum, sizes))), header]
        for array, (_, gap) in zip(arrays, sizes, strict=True):
            parts += [array.reshape(-1).view("u1").data, bytes(gap)] if array.size else []
        self._limit(limit)
        # one system call for the small, no copy of the large
        for part in [b"".join(parts)] if sum(map(len, parts)) <= _JOINED else parts:
            self._socket.sendall(part)

    def receive(self, limit: float | None = None, most: Callable[[], int] = whatever) -> Any:
        """The next message, which has to be there within `limit` seconds; None waits for ever.

        Args:
            limit: seconds.
            most: says how many bytes it has at most, if it is not small: memory for more is never asked for.

        Raises:
            EOFError: the other side is gone.
            TimeoutError: it sent no message, or only a part of one.
            MessageError: what it sent is no message, or a longer one.
        """
        deadline = None if limit is None else time.monotonic() + limit
        header_size, body_size = _FRAME.unpack(self._exactly(_FRAME.size, deadline))
        size = header_size + body_size
        if header_size > self._most_header:
            raise MessageError(f"malformed message: it claims {header_size:,} bytes before its arrays")
        if size > SMALL and size > most():
            raise MessageError(f"malformed message: it claims {size:,} bytes; expected at most {most():,}")
        header = self._exactly(header_size, deadline)
        try:
            body = self._exactly(body_size, deadline)
        except MemoryError as error:
            raise MessageError(f"malformed message: {body_size} bytes of arrays do not fit in memory") from error
        return decode(bytes(header), body, self._makers)

    def close(self) -> None:
        """Close the socket; the other side sees the end."""
        self._socket.close()

    def _exactly(self, size: int, deadline: float | None) -> bytearray:
        received, at = bytearray(size), min(size, len(self._ahead))
        received[:at], self._ahead = self._ahead[:at], self._ahead[at:]
        view = memoryview(received)
        while at < size:
            self._wait(deadline)
            if size - at >= _CHUNK:
                count = self._socket.recv_into(view[at:])
            else:
                arrived = self._socket.recv(_CHUNK)
                count = min(size - at, len(arrived))
                view[at : at + count], self._ahead = arrived[:count], arrived[count:]
            if not count:
                raise EOFError
            at += count
        return received

    def _wait(self, deadline: float | None) -> None:
        """Wait until something has arrived, or nothing will."""
        while True:
            waiting = select.poll()
            waiting.register(self._socket, select.POLLIN)
            other = self._other_side.fileno()
            if other >= 0:
                waiting.register(other, select.POLLIN)
            # a deadline that has passed still leaves time for what has arrived already
            left = None if deadline is None else min(max(1.0, 1000 * (deadline - time.monotonic())), _LONGEST)
            ready = [descriptor for descriptor, _ in waiting.poll(left)]
            if self._socket.fileno() in ready:
                return
            if not ready:
                raise TimeoutError
            # what it sent may have arrived just before it was over
            if self._other_side.is_over() and not readable(self._socket, 0.0):
                raise EOFError

    def _limit(self, limit: float | None) -> None:
        if limit is not None or self._socket.gettimeout() is not None:
            self._socket.settimeout(limit)
