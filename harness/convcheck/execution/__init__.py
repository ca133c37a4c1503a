"""Where candidates run: in this process, or in a worker process that may die without harm.

Nothing outside this package knows about the process of a candidate; the rest sees a `Candidate` that answers calls.
"""

from typing import TYPE_CHECKING, Final

from convcheck_reference.lazy import lazily

if TYPE_CHECKING:
    from convcheck.execution.candidate import Candidate
    from convcheck.execution.in_process_candidate import InProcessCandidate
    from convcheck.execution.opening import open_candidate, open_sanitized
    from convcheck.execution.promising_candidate import PromisingCandidate
    from convcheck.execution.restarting_candidate import RestartingCandidate
    from convcheck.execution.sanitized_candidate import SanitizedCandidate
    from convcheck.execution.subprocess_candidate import CALL_LIMIT, SubprocessCandidate
    from convcheck.execution.worker_supply import START_LIMIT, WorkerStartError

__all__ = [
    "CALL_LIMIT",
    "START_LIMIT",
    "Candidate",
    "InProcessCandidate",
    "PromisingCandidate",
    "RestartingCandidate",
    "SanitizedCandidate",
    "SubprocessCandidate",
    "WorkerStartError",
    "open_candidate",
    "open_sanitized",
]

_HOMES: Final = {
    "convcheck.execution.candidate": ("Candidate",),
    "convcheck.execution.in_process_candidate": ("InProcessCandidate",),
    "convcheck.execution.opening": ("open_candidate", "open_sanitized"),
    "convcheck.execution.promising_candidate": ("PromisingCandidate",),
    "convcheck.execution.restarting_candidate": ("RestartingCandidate",),
    "convcheck.execution.sanitized_candidate": ("SanitizedCandidate",),
    "convcheck.execution.subprocess_candidate": ("CALL_LIMIT", "SubprocessCandidate"),
    "convcheck.execution.worker_supply": ("START_LIMIT", "WorkerStartError"),
}

if not TYPE_CHECKING:  # a type checker that saw it would take every name to be public
    __getattr__ = lazily(__name__, _HOMES)
