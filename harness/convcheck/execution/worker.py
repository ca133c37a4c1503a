"""The main program of a worker process: loads one backend, then answers calls until told to stop."""

from __future__ import annotations

import faulthandler
import sys
from multiprocessing.connection import Connection

from convcheck.backend import Backend
from convcheck.execution.host import Host
from convcheck.execution.messages import Failed, Ready, Stop, receive, send
from convcheck.registry import load
from convcheck_reference.errors import ConvcheckError


def main(descriptor: int, spec: str) -> None:
    """Serve calls that arrive at the inherited file `descriptor`."""
    faulthandler.enable()  # a segmentation fault leaves its traceback on stderr
    connection = Connection(descriptor)

    def load_backend() -> Backend:
        return load(spec)

    try:
        host = Host(load_backend)
        send(connection, Ready(host.name, host.capabilities, dict(host.versions)))
    except ConvcheckError as error:
        send(connection, Failed(error))
        return
    try:
        while not isinstance(message := receive(connection), Stop):
            send(connection, host.call(message))
    except EOFError:  # the judge is gone
        return


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
