"""The record of a campaign: what every report is a rendering of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from convcheck.model.coverage import Coverage
from convcheck.model.diagnosis import Diagnosis
from convcheck.model.guarantees import Guarantee
from convcheck.model.ladder import Ladder
from convcheck.model.levels import LAST, Level, LevelCount, Standing, level_of_clause
from convcheck.model.origins import Origin, OriginCount
from convcheck.model.passes import PassCount
from convcheck.model.profiles import Profile
from convcheck.model.reach import Reach, ReachCount
from convcheck.model.reproduction import Reproduction
from convcheck.model.verdicts import FAILURES, JUDGED, Status, Verdict

PARTS_OF_TIME: Final = ("generation", "candidate", "judging", "bookkeeping", "triage")
"""Where the time of a backend goes: making cases; the candidate's calls, with the way there and back; the reference
and the oracles; the rest of judging (data, samples of the precision, adding up); looking for the causes of failures. No
part holds another."""


NOT_LOOKED_AT: Final = "not looked at: the calls for diagnosis, or the findings of its kind, ran out"
"""The reason of a count of failures of which nobody knows to which finding they belong, if to any."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One distinct discrepancy.

    Attributes:
        backend: its name.
        clause: the clause that it breaks.
        level: what it is about.
        verdict: of the smallest case; its status is known failure where an entry covers the finding.
        reproduction: how it is repeated.
        diagnosis: what was found out about its cause.
        failing_cases: number of cases of the campaign that show it.
        dtypes: dtypes of those cases.
        origins: how those cases came about.
        also_affects: other quantities in which the same cause shows.
        known: reason and link of the known-failure entry that covers it; empty if none does.
    """

    backend: str
    clause: str
    level: Level
    verdict: Verdict
    reproduction: Reproduction = field(default_factory=Reproduction)
    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    failing_cases: int = 1
    dtypes: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = ()
    also_affects: tuple[str, ...] = ()
    known: str = ""

    @property
    def status(self) -> Status:
        """Of its verdict."""
        return self.verdict.status

    @property
    def seen_once(self) -> bool:
        """Whether it was looked for again and never failed: it may be the machine's fault."""
        return self.reproduction.attempts > 0 and not self.reproduction.reproduced

    @property
    def unexamined(self) -> bool:
        """Whether it is a failure as it came: the run ended before it was repeated, shrunk and its cause looked for."""
        failed = self.status in FAILURES and bool(self.reproduction.token)
        return failed and not (self.known or self.reproduction.attempts)


@dataclass(frozen=True, kw_only=True)
class BackendRecord:
    """One backend of a campaign.

    Attributes:
        name: its name.
        spec: what was given to load it.
        cases: number of cases it ran.
        origins: the same by how they came about.
        sanitizer: that a share of its cases was run under, as reports show it; empty for none.
        unavailable: why it could not run; empty if it ran.
        versions: versions and settings.
        guarantees: what is guaranteed of it in an untrusted run; empty for any other.
        profiles: the promised profile by "dtype quantity", and by "dtype quantity path" where paths differ.
        margins: largest margin seen by "dtype quantity"; at most 1 for a pass.
        right_calls: by quantity, how many calls were found to give it right; empty in records of earlier versions.
        behaviour: the precision that it behaves like by "dtype quantity", where there was enough to tell.
        seconds: wall time by each of `PARTS_OF_TIME`, added up over the judging processes.
    """

    name: str
    spec: str
    cases: int = 0
    origins: tuple[OriginCount, ...] = ()
    sanitizer: str = ""
    unavailable: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    guarantees: tuple[Guarantee, ...] = ()
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    margins: Mapping[str, float] = field(default_factory=dict)
    right_calls: Mapping[str, int] = field(default_factory=dict)
    behaviour: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many cases had one status for one clause and one reason ('' for a pass); of failures, at one level.

    A case counts once for each of its clauses. One that fails does so for every clause that its failing verdicts name:
    as a failure under that of the finding it belongs to, or under its own where it was not looked at; under the others
    as one in failures of another clause.
    """

    backend: str
    clause: str
    status: Status
    reason: str
    cases: int
    level: Level | None = None


@dataclass(frozen=True, kw_only=True)
class Record:
    """Everything that is known about a campaign.

    Attributes:
        name: of the run; also the folder's name.
        command: the command line that repeats it.
        seed: of the generator.
        examples: cases asked for; None for a time budget.
        cases: cases generated.
        started: ISO 8601 time, UTC.
        seconds: wall time.
        interrupted: whether it was cut short; the record then holds what was done.
        version: of convcheck.
        environment: Python, platform, NumPy.
        backends: one entry each.
        counts: by backend, clause, status and reason.
        levels: by backend, level and kind of illegal arguments.
        passes: by backend, clause, dtype and pass; none in records of earlier versions.
        reached: by backend and quantity.
        coverage: of the parameter space.
        findings: each once.
        level: up to which findings count for whether a backend conforms.
        ladder: how far some of the cases were to reach.
        clause: the only one that was judged; empty for all.
    """

    name: str
    command: str
    seed: int
    examples: int | None
    cases: int
    started: str
    seconds: float
    interrupted: bool
    version: str
    environment: Mapping[str, str]
    backends: tuple[BackendRecord, ...]
    counts: tuple[Count, ...]
    levels: tuple[LevelCount, ...]
    passes: tuple[PassCount, ...] = ()
    reached: tuple[ReachCount, ...] = ()
    coverage: tuple[Coverage, ...]
    findings: tuple[Finding, ...]
    level: Level = LAST
    ladder: Ladder = Ladder.STANDARD
    clause: str = ""

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """Findings that no known-failure entry covers, unexpected passes included."""
        return tuple(f for f in self.findings if f.status is not Status.KNOWN_FAILURE)

    @property
    def decisive_findings(self) -> tuple[Finding, ...]:
        """The open ones of the levels that count."""
        return tuple(f for f in self.open_findings if f.level.within(self.level))

    def reach(self, backend: str) -> Reach:
        """How far the cases of a backend reached whose values were compared."""
        return Reach.of(count for count in self.reached if count.backend == backend)

    def judged(self, backend: str) -> int:
        """Number of (case, clause) verdicts of a backend that could tell right from wrong."""
        return sum(c.cases for c in self._judged(backend))

    def standing(self, backend: str, level: Level) -> Standing:
        """Where a backend stands at a level."""
        counts = [c for c in self.levels if (c.backend, c.level) == (backend, level)]
        findings = [f for f in self.findings if (f.backend, f.level) == (backend, level)]
        failing = [f for f in findings if f.status not in (Status.KNOWN_FAILURE, Status.UNEXPECTED_PASS)]
        return Standing(
            level=level,
            findings=len(failing),
            failures=sum(f.failing_cases for f in failing),
            known=sum(f.status is Status.KNOWN_FAILURE for f in findings),
            outdated=sum(f.status is Status.UNEXPECTED_PASS for f in findings),
            passed=sum(c.passed for c in counts),
            failed=sum(c.failed for c in counts),
            not_looked_at=sum(c.cases for c in self.not_looked_at if (c.backend, c.level) == (backend, level)),
            kinds=tuple(c.error_clause for c in counts if c.error_clause),
            kinds_let_through=tuple(c.error_clause for c in counts if c.error_clause and c.failed),
        )

    @property
    def conforms(self) -> bool:
        """No failure of the levels that count that nobody knew of, and every backend was judged at some of them."""
        ran = [b.name for b in self.backends if not b.unavailable]
        levels = [{c.level or level_of_clause(c.clause) for c in self._judged(name)} for name in ran]
        judged = all(any(level.within(self.level) for level in some) for some in levels)
        return bool(ran) and judged and not (self.decisive_findings or self.undecided or self.interrupted)

    @property
    def undecided(self) -> int:
        """Failing cases of the levels that count whose cause was not looked for."""
        return sum(c.cases for c in self.not_looked_at if c.level is None or c.level.within(self.level))

    @property
    def not_looked_at(self) -> tuple[Count, ...]:
        """The counts of failures whose cause was not looked for."""
        return tuple(c for c in self.counts if c.reason == NOT_LOOKED_AT)

    def _judged(self, backend: str) -> list[Count]:
        return [c for c in self.counts if c.backend == backend and c.status in JUDGED and c.cases]


def by_level(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings in the order of their levels, otherwise as they are."""
    return tuple(sorted(findings, key=lambda finding: finding.level.rank))
