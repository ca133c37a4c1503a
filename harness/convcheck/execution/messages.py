"""The messages between a judge and a worker, pickled."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from convcheck.capabilities import Capabilities


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has loaded its backend."""

    name: str
    capabilities: Capabilities
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Failed:
    """The worker could not load its backend."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Stop:
    """The worker is to end."""


def send(connection: Connection, message: Any) -> None:
    """Send one message."""
    connection.send_bytes(pickle.dumps(message, protocol=5))


def receive(connection: Connection) -> Any:
    """Receive one message.

    Raises:
        EOFError: the other side is gone.
    """
    return pickle.loads(connection.recv_bytes())  # noqa: S301  (from our own worker)
