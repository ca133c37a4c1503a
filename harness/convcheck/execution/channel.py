"""A channel between a judge and a worker: framed messages over a socket, with a deadline for the other side."""

from __future__ import annotations

import socket
import struct
import time
from typing import Any, Final

from convcheck.execution.codec import Makers, MessageError, decode, encode, padding

_FRAME: Final = struct.Struct("<QQ")
_CHUNK: Final = 1 << 16
"""Bytes that are asked for at once: what has arrived of the next message comes with this one."""
_JOINED: Final = 1 << 18
_MOST_HEADER: Final = 1 << 28
_MOST_BODY: Final = 1 << 40


class Channel:
    """One end of a connected socket.

    Args:
        connected: the socket; the channel owns it.
        makers: the dataclasses that may be received.
    """

    def __init__(self, connected: socket.socket, makers: Makers) -> None:
        self._socket = connected
        self._makers = makers
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

    def receive(self, limit: float | None = None) -> Any:
        """The next message, which has to be there within `limit` seconds; None waits for ever.

        Raises:
            EOFError: the other side is gone.
            TimeoutError: it sent no message, or only a part of one.
            MessageError: what it sent is no message.
        """
        deadline = None if limit is None else time.monotonic() + limit
        header_size, body_size = _FRAME.unpack(self._exactly(_FRAME.size, deadline))
        if header_size > _MOST_HEADER or body_size > _MOST_BODY:
            raise MessageError("malformed message: absurdly long")
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
            # a deadline that has passed still leaves time for what has arrived already
            self._limit(None if deadline is None else max(0.001, deadline - time.monotonic()))
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

    def _limit(self, limit: float | None) -> None:
        if limit is not None or self._socket.gettimeout() is not None:
            self._socket.settimeout(limit)
