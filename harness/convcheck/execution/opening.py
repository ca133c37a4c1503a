"""Opening a candidate where a user wants it to run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
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
from convcheck.plugin.registry import load, resolve


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
    """
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
    return SanitizedCandidate(resolve(spec), sanitizer, limit)
