"""What a campaign is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from convcheck.campaign.known_failures import KnownFailure
from convcheck.execution import CALL_LIMIT, START_LIMIT
from convcheck.model.ladder import Ladder
from convcheck.model.levels import LAST, Level
from convcheck.model.sanitizers import Sanitizer
from convcheck.triage.probe import MOST_CALLS

LEAST_DIAGNOSIS: Final = 300.0
"""Seconds in which causes may be looked for, unless told otherwise. On a candidate whose calls take milliseconds the
calls run out long before, so that the findings are the same on any machine."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a campaign is asked to do.

    Attributes:
        specs: the backends, as `convcheck.load` takes them.
        examples: cases for each backend, besides those that reach far; None for as many as `seconds` allow, 0 for none
            but those given.
        seconds: wall time for each backend; None for no limit.
        seed: of the generator.
        dtypes: restricts the dtypes; empty for those that a backend declares.
        clause: restricts the verdicts to one clause; empty for all.
        workers: judging processes, each with a candidate process of its own.
        scheduler: of a Dask cluster, whose processes judge: its address, or "local" for one that the run starts itself;
            empty for processes of this machine.
        in_process: the candidate runs in this process, for debuggers.
        untrusted: the candidate may have been written to pass: its process is cut off from the judge, and
            what it calls is traced.
        sanitize: a share of the drawn cases is run again under this sanitizer; None for none.
        limit: seconds that a call may take.
        start_limit: seconds that importing and constructing the candidate may take.
        memory: bytes that a worker may have; None for half of the machine's, 0 for any number.
        diagnosis_calls: calls of the candidate in which causes are looked for after the cases; fewer for one
            whose calls take seconds. Failures that they do not suffice for are counted as not looked at.
        diagnosis_seconds: in which causes are looked for at most; None for a third of the time that the cases took, and
            at least `LEAST_DIAGNOSIS`.
        known: known failures.
        database: of what failed in earlier runs, as `convcheck.campaign.database.open_database` takes it.
        level: up to which findings count for whether a backend conforms; all are looked for and reported.
        reach: how far some of the cases reach.
        given: cases to judge before all others, as tokens; with no others, nothing that failed before is tried either.
    """

    specs: tuple[str, ...]
    examples: int | None = 1000
    seconds: float | None = None
    seed: int = 0
    dtypes: tuple[str, ...] = ()
    clause: str = ""
    workers: int = 1
    scheduler: str = ""
    in_process: bool = False
    untrusted: bool = False
    sanitize: Sanitizer | None = None
    limit: float = CALL_LIMIT
    start_limit: float = START_LIMIT
    memory: int | None = None
    diagnosis_calls: int = MOST_CALLS
    diagnosis_seconds: float | None = None
    known: tuple[KnownFailure, ...] = ()
    database: str = ""
    level: Level = LAST
    reach: Ladder = Ladder.STANDARD
    given: tuple[str, ...] = ()

    @property
    def total(self) -> int | None:
        """Cases of a backend that are asked for; None where nobody knows."""
        return None if self.examples is None else len(self.given) + self.examples

    def of_backend(self, spec: str) -> Options:
        """The same with what is known of one backend."""
        return replace(self, known=tuple(entry for entry in self.known if entry.backend in ("", spec)))
