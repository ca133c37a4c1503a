"""The main program of a worker: loads one backend, then answers calls until told to stop.

Loading an engine takes seconds, and a candidate that crashes is replaced many times while its smallest case
is sought. So this process only imports what the backend needs, and each worker is a fork of it, which costs
milliseconds. A process with several threads cannot be forked safely: there this process is the worker itself, and its
replacement is a new process.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from typing import Final, NoReturn

from convcheck.execution.answer_sizes import bounded
from convcheck.execution.channel import Channel
from convcheck.execution.control import FORK, STATUS, WORKER
from convcheck.execution.forks import Forks, living_children
from convcheck.execution.in_process_candidate import InProcessCandidate
from convcheck.execution.messages import (
    TO_WORKER,
    Answer,
    Calls,
    CallsAtOnce,
    Failed,
    InOwnWords,
    Lost,
    Ready,
    Reload,
    Twice,
    cut,
)
from convcheck.execution.processes import adopt_orphans, die_with_parent
from convcheck.model.calls import Raised, Returned
from convcheck.model.system import may_fork, this_system
from convcheck.plugin.accelerator import DeviceLostError
from convcheck.plugin.backend import Backend
from convcheck.plugin.own_words import ScriptCall
from convcheck.plugin.registry import load, preload
from convcheck.tensors.guarded import GuardedPages
from convcheck.tensors.regions import Allocate, heap
from convcheck_reference.errors import ConvcheckError

_MOST_DESCRIPTORS: Final = 2
"""That come with an order: of the connection to the judge, and of the one to whoever watches the worker."""


def main() -> None:
    """Serve the control socket of the command line, for the backend named there."""
    control, spec = socket.socket(fileno=int(sys.argv[1])), sys.argv[2]
    faulthandler.enable()  # a segmentation fault leaves its traceback on stderr
    give_workers(control, spec, GuardedPages() if this_system().guards else heap)


def give_workers(control: socket.socket, spec: str, allocate: Allocate) -> None:
    """Fork the workers that the judge asks for, or be the only one where that is not safe.

    Args:
        control: the socket to the judge.
        spec: of the backend.
        allocate: where tensors lie.
    """
    begun = time.perf_counter()
    with suppress(ConvcheckError):  # the worker will meet and report it
        preload(spec)
    if not may_fork():
        become_worker(control, spec, allocate, time.perf_counter() - begun)
    keep(control, lambda descriptors: serve_and_exit(descriptors[0], spec, allocate))


def keep(control: socket.socket, become: Callable[[list[int]], NoReturn]) -> None:
    """Fork workers one after another until the judge is gone.

    Args:
        control: the socket to the judge.
        become: what a fork does with the descriptors that come with its order; it does not return.
    """
    gc.collect()
    gc.freeze()  # else a collection in a fork writes to, and so copies, every page that has an object of the imports
    child = 0
    while True:
        command, descriptors, _, _ = socket.recv_fds(control, 1, _MOST_DESCRIPTORS)
        if command == FORK:
            child = os.fork()
            if child == 0:
                control.close()
                die_with_parent()
                become(descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            _introduce(control, child)
        elif child:
            status = _ended(child)
            child = 0
            if not command:
                return
            control.sendall(STATUS.pack(status))
        elif not command:
            return


def _introduce(control: socket.socket, worker: int) -> None:
    """Tell the judge of a worker."""
    if not hasattr(os, "pidfd_open"):
        control.sendall(WORKER)
        return
    descriptor = os.pidfd_open(worker)
    socket.send_fds(control, [WORKER], [descriptor])
    os.close(descriptor)


def _ended(child: int) -> int:
    """The status of a worker: its own if it is ending, else that of being killed."""
    os.kill(child, signal.SIGKILL)  # one that has ended already waits to be asked, and keeps its status
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def become_worker(control: socket.socket, spec: str, allocate: Allocate, seconds: float = 0.0) -> NoReturn:
    """Be the one worker of this process.

    Args:
        control: the socket to the judge.
        spec: of the backend.
        allocate: where its tensors lie.
        seconds: that its imports have taken already.
    """
    command, descriptors, _, _ = socket.recv_fds(control, 1, 1)
    if command:
        _introduce(control, os.getpid())
    # which tells the judge that there is nobody but this process, though a wrapper may hold the same socket
    with suppress(OSError):
        control.shutdown(socket.SHUT_RDWR)
    control.close()
    if not command:
        sys.exit()
    serve_and_exit(descriptors[0], spec, allocate, seconds)


def serve_and_exit(
    descriptor: int,
    spec: str,
    allocate: Allocate,
    seconds: float = 0.0,
    before_answer: Callable[[int], object] = lambda _: None,
) -> NoReturn:
    """Answer calls until the judge wants no more.

    Args:
        descriptor: of the connection to the judge.
        spec: of the backend.
        allocate: where its tensors lie.
        seconds: that its imports have taken already.
        before_answer: called with the number of each answer before that is sent.
    """
    adopt_orphans()
    try:
        _serve(Channel(socket.socket(fileno=descriptor), TO_WORKER), spec, allocate, seconds, before_answer)
    except (EOFError, BrokenPipeError, ConnectionResetError):  # the judge is gone, or wants no more
        if living_children():
            sys.exit()  # what ends them at a program's end has its turn
    except OSError:  # the candidate has closed the connection, which has to be seen before the end of this process
        signal.pause()
    os._exit(0)  # what a fork inherited to do at exit is not its business


def _serve(
    channel: Channel,
    spec: str,
    allocate: Allocate,
    seconds: float,
    before_answer: Callable[[int], object],
) -> None:
    def load_backend() -> Backend:
        return load(spec)

    begun = time.perf_counter()
    forks = Forks()
    try:
        host = InProcessCandidate(load_backend, allocate, outcomes=BaseException)
        seconds += time.perf_counter() - begun
        channel.send(Ready(host.name, host.capabilities, dict(host.versions), seconds))
        while True:
            asked: Calls | CallsAtOnce | Reload | ScriptCall = channel.receive()
            if isinstance(asked, Reload):
                host.restart()
                channel.send(Ready(host.name, host.capabilities, dict(host.versions), seconds))
                continue
            if isinstance(asked, ScriptCall):
                channel.send(InOwnWords(host.own_words(asked)))
                continue
            for number, (call, outcome) in enumerate(
                zip(asked.in_order, _outcomes(host, asked), strict=True), asked.first
            ):
                forks.end_if_child(outcome)
                children = forks.children()
                if forks.have_returned():
                    channel.send(Twice())
                    return
                before_answer(number)
                channel.send(Answer(number, bounded(outcome, call), children))
    except DeviceLostError as error:
        channel.send(Lost(cut(str(error))))
    except ConvcheckError as error:
        forks.end_if_child(None)
        channel.send(Failed(type(error).__name__, cut(str(error))))


def _outcomes(host: InProcessCandidate, calls: Calls | CallsAtOnce) -> Iterator[Returned | Raised]:
    """The outcomes in the order of their numbers, each as soon as it is there."""
    if isinstance(calls, CallsAtOnce):
        return chain.from_iterable(host.call_at_once(calls.threads))
    return map(host.call, calls.calls)


if __name__ == "__main__":
    main()
