"""The main program of a worker process: loads one backend, then answers calls until told to stop."""

from __future__ import annotations

import faulthandler
import socket
import sys

from convcheck.backend import Backend
from convcheck.execution.channel import Channel
from convcheck.execution.host import Host
from convcheck.execution.interception import Interception, Watch, unwatched
from convcheck.execution.messages import TO_WORKER, Answer, Calls, Failed, Ready
from convcheck.execution.withholding import withhold_the_judge
from convcheck.registry import load
from convcheck.tensors.guarded import guarded
from convcheck_reference.errors import ConvcheckError


def main(*, untrusted: bool = False) -> None:
    """Serve calls that arrive at the inherited socket of the command line, for the backend named there."""
    descriptor, spec = int(sys.argv[1]), sys.argv[2]
    faulthandler.enable()  # a segmentation fault leaves its traceback on stderr
    watch: Watch = unwatched
    if untrusted:
        watch = Interception()
        withhold_the_judge()
        del sys.argv[1:], sys.orig_argv[1:]
    _serve(Channel(socket.socket(fileno=descriptor), TO_WORKER), spec, watch)


def _serve(channel: Channel, spec: str, watch: Watch) -> None:
    def load_backend() -> Backend:
        return load(spec)

    try:
        host = Host(load_backend, guarded, watch)
        channel.send(Ready(host.name, host.capabilities, dict(host.versions)))
    except ConvcheckError as error:
        channel.send(Failed(type(error).__name__, str(error)))
        return
    try:
        while True:
            calls: Calls = channel.receive()
            for number, call in enumerate(calls.calls, calls.first):
                channel.send(Answer(number, host.call(call)))
    except (EOFError, BrokenPipeError):  # the judge is gone, or wants no more
        return


if __name__ == "__main__":
    main()
