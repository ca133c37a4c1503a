"""The record of a campaign: what every report is a rendering of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from convcheck.model.coverage import Coverage
from convcheck.model.diagnosis import Diagnosis
from convcheck.model.guarantees import Guarantee
from convcheck.model.ladder import Ladder
from convcheck.model.levels import LAST, Level, LevelCount, Standing, level_of_clause
from convcheck.model.origins import Origin, OriginCount
from convcheck.model.passes import PassCount, added
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


def merged(records: Sequence[Record], *, name: str, command: str) -> Record:
    """Records of parts of one run as one: a backend's cases, counts and findings are put together.

    The order of the parts does not matter.

    Args:
        records: at least one.
        name: of the run.
        command: that repeats it.
    """
    ordered = sorted(records, key=lambda record: record.name)
    backends: dict[str, BackendRecord] = {}
    for part in (b for record in ordered for b in record.backends):
        known = backends.get(part.name)
        backends[part.name] = part if known is None else _joined(known, part)
    counts: Counter[tuple[str, str, Status, str, Level | None]] = Counter()
    coverage: Counter[tuple[str, str]] = Counter()
    for record in ordered:
        counts.update({(c.backend, c.clause, c.status, c.reason, c.level): c.cases for c in record.counts})
        coverage.update({(c.parameter, c.value): c.cases for c in record.coverage})
    return replace(
        ordered[0],
        name=name,
        command=command,
        cases=sum(r.cases for r in ordered),
        started=min(r.started for r in ordered),
        seconds=sum(r.seconds for r in ordered),
        interrupted=any(r.interrupted for r in ordered),
        backends=tuple(backends.values()),
        counts=tuple(
            Count(backend=b, clause=c, status=s, reason=r, cases=n, level=level)
            for (b, c, s, r, level), n in sorted(counts.items(), key=lambda item: tuple(map(str, item[0])))
        ),
        levels=_levels(ordered),
        passes=added(count for record in ordered for count in record.passes),
        reached=_reached(ordered),
        coverage=tuple(
            Coverage(parameter=p, value=v, cases=n)
            for (p, v), n in sorted(coverage.items(), key=lambda i: (i[0][0], -i[1], i[0][1]))
        ),
        findings=by_level(f for r in ordered for f in r.findings),
    )


def by_level(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings in the order of their levels, otherwise as they are."""
    return tuple(sorted(findings, key=lambda finding: finding.level.rank))


def _reached(records: Sequence[Record]) -> tuple[ReachCount, ...]:
    names = dict.fromkeys(backend.name for record in records for backend in record.backends)
    some = {name: [c for record in records for c in record.reached if c.backend == name] for name in names}
    return tuple(count for name, counts in some.items() for count in Reach.of(counts).counts(name))


def _levels(records: Sequence[Record]) -> tuple[LevelCount, ...]:
    passed, failed = Counter[tuple[str, Level, str]](), Counter[tuple[str, Level, str]]()
    for count in (c for record in records for c in record.levels):
        key = count.backend, count.level, count.error_clause
        passed[key] += count.passed
        failed[key] += count.failed
    return tuple(
        LevelCount(backend=key[0], level=key[1], error_clause=key[2], passed=passed[key], failed=failed[key])
        for key in sorted({*passed, *failed}, key=lambda key: (key[0], key[1].rank, len(key[2]), key[2]))
    )


def _joined(a: BackendRecord, b: BackendRecord) -> BackendRecord:
    margins = {k: max(a.margins.get(k, 0.0), b.margins.get(k, 0.0)) for k in sorted({*a.margins, *b.margins})}
    seconds = {k: a.seconds.get(k, 0.0) + b.seconds.get(k, 0.0) for k in sorted({*a.seconds, *b.seconds})}
    return replace(
        a,
        cases=a.cases + b.cases,
        origins=_added(*a.origins, *b.origins),
        guarantees=_held_by_both(a.guarantees, b.guarantees),
        # a part knows of the dtypes that it judged
        profiles={**b.profiles, **a.profiles},
        right_calls=dict(sorted((Counter(a.right_calls) + Counter(b.right_calls)).items())),
        behaviour=dict(sorted({**b.behaviour, **a.behaviour}.items())),
        margins=margins,
        seconds=seconds,
    )


def _held_by_both(a: Sequence[Guarantee], b: Sequence[Guarantee]) -> tuple[Guarantee, ...]:
    """What is guaranteed of every part; what is not of one says why there."""
    others = {guarantee.name: guarantee for guarantee in b}
    return tuple(others.get(guarantee.name, guarantee) if guarantee.holds else guarantee for guarantee in a)


def _added(*counts: OriginCount) -> tuple[OriginCount, ...]:
    some = {origin: [c for c in counts if c.origin is origin] for origin in Origin}
    return tuple(
        OriginCount(origin=origin, cases=sum(c.cases for c in of), failing_cases=sum(c.failing_cases for c in of))
        for origin, of in some.items()
        if of
    )
