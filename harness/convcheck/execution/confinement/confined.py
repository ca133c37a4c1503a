"""Running a function as an untrusted candidate: in a process of its own, behind every wall that the machine offers.

This process forks one that goes into namespaces, that one the supervisor, who is the first process in there, and the
supervisor the candidate's. What a candidate needs has been imported by then, so nothing of it has to be in sight.
"""

from __future__ import annotations

import atexit
import faulthandler
import os
import pickle
import signal
import socket
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from convcheck.execution.confinement import namespaces, privileges, supervisor, trace, visible
from convcheck.execution.confinement.enclosure import Enclosure
from convcheck.execution.confinement.linux import ConfinementError, on_linux
from convcheck.execution.confinement.namespaces import ALL_BUT_USER, Namespace
from convcheck.execution.confinement.walls import Means
from convcheck.execution.processes import adopt_orphans, die_with_parent

_LADDER: Final = (
    ALL_BUT_USER,
    ALL_BUT_USER & ~Namespace.CGROUP,
    ALL_BUT_USER | Namespace.USER,
    ALL_BUT_USER & ~Namespace.CGROUP | Namespace.USER,
)
"""What is tried: as root without a namespace of users, which leaves it another uid."""

_NO_NAMESPACES: Final = Namespace(0)
_ENTERED: Final = "entered\n"


@dataclass(frozen=True, slots=True)
class Run:
    """What is confined, and how.

    Attributes:
        spec: of the backend.
        paths: where modules are looked for.
        hidden: folders that are not to be seen, besides the judge's.
        means: of the system that may be used.
        wrapped: whether this process is in bubblewrap's namespaces.
    """

    spec: str
    paths: tuple[str, ...]
    hidden: tuple[Path, ...]
    means: Means
    wrapped: bool = False


@dataclass(frozen=True, slots=True)
class _Attempt:
    """To run something in some namespaces.

    Attributes:
        wanted: those namespaces.
        enclosure: what is to be seen there.
        means: what may be used.
        wrapped: whether the namespaces that this process is in are bubblewrap's.
        judge: the connection on which the supervisor tells the judge.
        traced: the two ends of the trace.
        only: a descriptor that nobody but the candidate is to have.
        serve: what is run.
        why: others could not be entered.
    """

    wanted: Namespace
    enclosure: Enclosure
    means: Means
    wrapped: bool
    judge: socket.socket
    traced: tuple[int, int]
    only: int
    serve: Callable[[], object]
    why: str


def survey(run: Run) -> None:
    """Look up what is to be seen, which the forks of this process know then.

    Args:
        run: what will be confined, and how.
    """
    visible.executable(Enclosure.of(run.spec, run.paths, run.hidden, own_root=run.means.namespaces).read)


def confined(run: Run, serve: Callable[[], object], *, only: int, judge: socket.socket) -> int:
    """Run `serve` confined, until it returns or its process ends, and say how that ended.

    Args:
        run: what is confined, and how.
        serve: what is run; what it writes to the trace is read by the supervisor.
        only: a descriptor that nobody but its process is to have.
        judge: the connection on which the supervisor tells the judge what stands and what was seen.

    Returns:
        Its exit status, or minus the number of the signal that killed it.
    """
    traced = trace.start()
    wanted = _LADDER if run.means.namespaces and on_linux() and not run.wrapped else ()
    why = "" if wanted else "left out"
    for some in (*(w for w in wanted if os.geteuid() == 0 or Namespace.USER in w), _NO_NAMESPACES):
        enclosure = Enclosure.of(run.spec, run.paths, run.hidden, own_root=bool(some))
        status, why = _in_child(_Attempt(some, enclosure, run.means, run.wrapped, judge, traced, only, serve, why))
        if status is not None:
            return status
    raise ConfinementError("no process could be started for an untrusted candidate; expected that this one can fork")


def end_like(status: int) -> NoReturn:
    """End this process as another has ended.

    Args:
        status: its exit status, or minus the number of the signal that killed it.
    """
    if status >= 0:
        os._exit(status)
    privileges.leave_no_core()
    faulthandler.disable()
    with suppress(OSError, ValueError):  # of SIGKILL there is no other handling
        signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
    os._exit(128 - status)


def _in_child(attempt: _Attempt) -> tuple[int | None, str]:
    """How the candidate ended in these namespaces; if they could not be entered None, and what the system said."""
    reading, writing = os.pipe()
    with _quiet_forks():
        child = os.fork()
    if child == 0:
        os.close(reading)
        _enter(attempt, writing)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as told:
        refused = told.readline()
        if refused == _ENTERED:
            os.close(attempt.only)
        status = told.read()
    os.waitpid(child, 0)
    if refused == _ENTERED:
        return int(status or -signal.SIGKILL), ""  # who says nothing was killed, with all that is in there
    return None, refused or "the process that tried was killed"


def _enter(attempt: _Attempt, telling: int) -> NoReturn:
    """Be the process that goes into namespaces, whose first child is the first process in there."""
    try:
        die_with_parent()
        if attempt.wanted:
            namespaces.enter(attempt.wanted)
        first = os.fork()
        if first == 0:
            die_with_parent()
            _supervise(attempt, telling)
        os.close(attempt.only)
        os.close(telling)
        os.waitpid(first, 0)
    except OSError as error:
        _tell(telling, str(error))
    finally:
        os._exit(0)


def _supervise(attempt: _Attempt, telling: int) -> NoReturn:
    """Be the supervisor of the candidate, which is its child."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    missing = {"own_root": attempt.why} if attempt.why else {}
    try:
        adopt_orphans()
        if attempt.wanted:
            attempt.enclosure.enter()
        reading, writing = os.pipe()
        candidate = os.fork()
    except OSError as error:
        _tell(telling, str(error))
        os._exit(0)
    if candidate == 0:
        os.close(reading)
        os.close(telling)
        try:
            _serve(attempt, missing, writing)
        except SystemExit as end:
            _end_as_a_program(end)
        except BaseException:  # noqa: BLE001  (who has started this process is not to go on in it)
            traceback.print_exc()
        os._exit(1)
    _tell(telling, _ENTERED)
    for descriptor in (writing, attempt.traced[1], attempt.only):
        os.close(descriptor)
    privileges.be_opaque()
    with os.fdopen(reading, "rb") as told:
        walls = told.read()
    status = supervisor.supervise(candidate, attempt.judge, attempt.traced[0], pickle.loads(walls)) if walls else 1  # noqa: S301
    _tell(telling, str(status))
    os._exit(0)


def _serve(attempt: _Attempt, missing: dict[str, str], telling: int) -> NoReturn:
    """Be the candidate's process."""
    attempt.judge.close()
    os.close(attempt.traced[0])
    walls = attempt.enclosure.close(
        attempt.means,
        own_root=bool(attempt.wanted),
        bubblewrap=attempt.wrapped,
        users=Namespace.USER in attempt.wanted,
        kept=attempt.traced[1:],
        missing=missing,
    )
    die_with_parent()
    os.write(telling, pickle.dumps(walls))
    os.close(telling)
    attempt.serve()
    os._exit(0)


def _end_as_a_program(end: SystemExit) -> NoReturn:
    """Do what a process of Python does at its exit; all but this process has left the functions that were to return."""
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001  (as `multiprocessing` does in its forks)
    atexit._run_exitfuncs()  # noqa: SLF001
    if end.code is not None and not isinstance(end.code, int):
        sys.stderr.write(f"{end.code}\n")
    os._exit(end.code if isinstance(end.code, int) else end.code is not None)


def _tell(descriptor: int, text: str) -> None:
    os.write(descriptor, text.encode())


@contextmanager
def _quiet_forks() -> Iterator[None]:
    """Without Python's warning of threads: those of this process are between two jobs, and none of them is forked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
