"""Opening a candidate where a user wants it to run."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from convcheck.execution import launch
from convcheck.execution.candidate import Candidate
from convcheck.execution.confinement import shield
from convcheck.execution.in_process_candidate import InProcessCandidate
from convcheck.execution.machine_memory import half_of_the_machine
from convcheck.execution.sanitized_candidate import SanitizedCandidate
from convcheck.execution.subprocess_candidate import CALL_LIMIT, SubprocessCandidate
from convcheck.execution.worker_supply import START_LIMIT
from convcheck.model.sanitizers import Sanitizer
from convcheck.model.system import this_system
from convcheck.plugin.placed import Placed
from convcheck.plugin.registry import load, resolve
from convcheck_reference.errors import ConvcheckError


class MissingInSystemError(ConvcheckError, RuntimeError):
    """This system, or what is installed on it, lacks what was asked for."""


def open_candidate(
    spec: str,
    *,
    limit: float = CALL_LIMIT,
    start_limit: float = START_LIMIT,
    memory: int | None = None,
    in_process: bool = False,
    untrusted: bool = False,
    hidden: Sequence[Path] = (),
) -> Candidate:
    """A candidate; the caller closes it.

    Args:
        spec: the backend, as `convcheck.load` takes it.
        limit: seconds that a call may take, where it has a process of its own.
        start_limit: seconds that importing and constructing it may take, likewise.
        memory: bytes that it and the processes which it starts may have, likewise; None for half of the machine's, 0
            for any number.
        in_process: it runs in this process, for debuggers.
        untrusted: it may have been written to pass: its process is confined, and what it calls is traced.
        hidden: folders that it is not to see then, besides that of reports.

    Raises:
        RegistryError: the backend cannot be loaded.
        UnavailableError: its device or engine is absent.
        WorkerStartError: its process ended while it loaded the backend, or took longer.
        MissingInSystemError: this system has no such processes, or no torch, whose trace an untrusted candidate needs.
    """
    _check_system(in_process=in_process, untrusted=untrusted)
    _check_environment(spec, "--in-process" if in_process else "--untrusted" if untrusted else "")
    if in_process:
        return InProcessCandidate(lambda: load(spec))
    candidate = SubprocessCandidate(
        resolve(spec),
        limit,
        partial(launch.untrusted, hidden=(launch.REPORTS, *hidden)) if untrusted else launch.trusted,
        start_limit=start_limit,
        memory=half_of_the_machine() if memory is None else memory,
    )
    shield(candidate.guarantees)
    return candidate


def _check_system(*, in_process: bool, untrusted: bool) -> None:
    if untrusted and not this_system().confinement:
        raise MissingInSystemError(
            f"--untrusted confines a candidate by namespaces, Landlock and seccomp, which {platform.system()} has not; "
            "judge it on Linux, in a container say, or leave out --untrusted for a candidate that you trust"
        )
    if untrusted and find_spec("torch") is None:
        raise MissingInSystemError(
            "--untrusted needs torch, which is not installed: the calls of a candidate are written to the trace of its "
            "dispatcher; pip install torch, or leave out --untrusted for a candidate that you trust"
        )
    if not in_process and not this_system().workers:
        raise MissingInSystemError(
            f"a candidate in a process of its own takes sockets that carry descriptors, which Python has not on "
            f"{platform.system()}; run with --in-process"
        )


def _check_environment(spec: str, option: str) -> None:
    if option and Placed.of(spec) is not None:
        raise MissingInSystemError(
            f"{spec} runs in an environment of its own, in a process of the user's session; leave out {option}"
        )


def open_sanitized(spec: str, sanitizer: Sanitizer, *, limit: float = CALL_LIMIT) -> SanitizedCandidate:
    """A candidate under a sanitizer; the caller closes it.

    Args:
        spec: the backend, as `convcheck.load` takes it.
        sanitizer: which.
        limit: seconds that a call may take without it.

    Raises:
        UnavailableSanitizerError: the sanitizer is not installed.
        RegistryError: the backend cannot be loaded.
        UnavailableError: its device or engine is absent.
        WorkerStartError: its process ended while it loaded the backend.
    """
    _check_environment(spec, "--sanitize")
    return SanitizedCandidate(resolve(spec), sanitizer, limit)
