"""Where candidates run: in this process, or in a worker process that may die without harm.

Nothing outside this package knows about processes; the rest sees a `Candidate` that answers calls.
"""

from convcheck.execution.candidate import Candidate
from convcheck.execution.host import Host
from convcheck.execution.isolated import IsolatedCandidate, WorkerStartError

__all__ = ["Candidate", "Host", "IsolatedCandidate", "WorkerStartError"]
