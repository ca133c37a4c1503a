"""The record of a campaign: one JSON Lines file of which every report is a rendering."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from convcheck.model.coverage import Coverage
from convcheck.model.diagnosis import FailureCondition, HeatMap, KnownDefectMatch, Localization
from convcheck.model.rules import Rule
from convcheck.model.verdicts import JUDGED, Evidence, Status
from convcheck_reference.errors import ConvcheckError

SCHEMA: Final = 1
"""Version of the record's lines; raised when a reader of the old lines would misread the new ones."""


class RecordError(ConvcheckError, ValueError):
    """A file that is not a record of a campaign."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One distinct discrepancy.

    Attributes:
        backend: its name.
        clause: the clause that it breaks; the first of `clauses`.
        clauses: all clauses that the smallest case exercises, most specific first.
        oracle: which oracle found it.
        quantity: output, grad_input, grad_weight, grad_bias, inputs, module or call.
        status: one of `convcheck.model.verdicts.FAILURES`, or known failure.
        token: the smallest case.
        first_failing_case: the case that first showed it.
        before: cases to run first in the same process; empty unless the failure depends on state.
        reason: what is wrong, in words.
        margin: how far outside the bound, where there is one.
        evidence: the worst element and the location.
        hits: number of cases of the campaign that show it.
        dtypes: dtypes of those cases.
        reproduced: how many of `attempts` repetitions in a fresh process failed again.
        attempts: repetitions.
        known: reason and link of the known-failure entry that covers it; empty if none does.
        trigger: when it fails; None where that was not learnt.
        lookalikes: the defects of the library that it behaves like, the best first.
        whereabouts: where a telling case is wrong; None where no result of the right shape came back.
        remembers: whether its case fails by itself, but not where each of its calls meets a fresh candidate, or only
            there.
        arbitration: whether the reference could be at fault, in words.
        also: other quantities in which the same cause shows.
        unclassified: how many of `hits` are counted here only because the budget of calls, or the
            number of findings, ended before they were looked at.
        standalone: whether the one call of its quantity shows it on a fresh candidate, without any call before.
        script: file name of the standalone reproduction in the report's folder; empty if there is none.
    """

    backend: str
    clause: str
    clauses: tuple[str, ...]
    oracle: str
    quantity: str
    status: Status
    token: str
    first_failing_case: str
    before: tuple[str, ...] = ()
    reason: str
    margin: float | None = None
    evidence: Evidence | None = None
    hits: int = 1
    dtypes: tuple[str, ...] = ()
    reproduced: int = 0
    attempts: int = 0
    known: str = ""
    trigger: FailureCondition | None = None
    lookalikes: tuple[KnownDefectMatch, ...] = ()
    whereabouts: Localization | None = None
    remembers: bool = False
    arbitration: str = ""
    also: tuple[str, ...] = ()
    unclassified: int = 0
    standalone: bool = True
    script: str = ""


@dataclass(frozen=True, kw_only=True)
class BackendRecord:
    """One backend of a campaign.

    Attributes:
        name: its name.
        spec: what was given to load it.
        cases: number of cases it ran.
        unavailable: why it could not run; empty if it ran.
        versions: versions and settings.
        profiles: promised profile by "dtype quantity".
        margins: largest margin seen by "dtype quantity"; at most 1 for a pass.
        behaviour: the precision that it behaves like by "dtype quantity", where there was enough to tell.
        seconds: wall time by part: candidate, reference, other.
    """

    name: str
    spec: str
    cases: int = 0
    unavailable: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    profiles: Mapping[str, str] = field(default_factory=dict)
    margins: Mapping[str, float] = field(default_factory=dict)
    behaviour: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many cases had one status for one clause and one reason ('' for a pass)."""

    backend: str
    clause: str
    status: Status
    reason: str
    cases: int


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
        coverage: of the parameter space.
        findings: each once.
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
    coverage: tuple[Coverage, ...]
    findings: tuple[Finding, ...]

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """Findings that no known-failure entry covers, unexpected passes included."""
        return tuple(f for f in self.findings if f.status is not Status.KNOWN_FAILURE)

    def judged(self, backend: str) -> int:
        """Number of (case, clause) verdicts of a backend that could tell right from wrong."""
        return sum(c.cases for c in self.counts if c.backend == backend and c.status in JUDGED)

    @property
    def conforms(self) -> bool:
        """No open finding, and every backend was judged on something."""
        judged = all(b.unavailable or self.judged(b.name) for b in self.backends)
        ran = any(not b.unavailable for b in self.backends)
        return ran and judged and not self.open_findings and not self.interrupted


_KINDS: Final = {"backend": BackendRecord, "count": Count, "coverage": Coverage, "finding": Finding}
_PLURALS: Final = {"backend": "backends", "count": "counts", "coverage": "coverage", "finding": "findings"}


def to_lines(record: Record) -> Iterator[str]:
    """The record as JSON Lines: a header, then one line for each backend, count, coverage and finding."""
    header = {k: v for k, v in asdict(record).items() if k not in _PLURALS.values()}
    yield json.dumps({"kind": "campaign", "schema": SCHEMA, **header}, ensure_ascii=False)
    for kind, plural in _PLURALS.items():
        for item in getattr(record, plural):
            yield json.dumps({"kind": kind, **asdict(item)}, ensure_ascii=False)


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
    counts: Counter[tuple[str, str, Status, str]] = Counter()
    coverage: Counter[tuple[str, str]] = Counter()
    for record in ordered:
        counts.update({(c.backend, c.clause, c.status, c.reason): c.cases for c in record.counts})
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
            Count(backend=b, clause=c, status=s, reason=r, cases=n) for (b, c, s, r), n in sorted(counts.items())
        ),
        coverage=tuple(
            Coverage(parameter=p, value=v, cases=n)
            for (p, v), n in sorted(coverage.items(), key=lambda i: (i[0][0], -i[1], i[0][1]))
        ),
        findings=tuple(f for r in ordered for f in r.findings),
    )


def _joined(a: BackendRecord, b: BackendRecord) -> BackendRecord:
    margins = {k: max(a.margins.get(k, 0.0), b.margins.get(k, 0.0)) for k in sorted({*a.margins, *b.margins})}
    seconds = {k: a.seconds.get(k, 0.0) + b.seconds.get(k, 0.0) for k in sorted({*a.seconds, *b.seconds})}
    return replace(a, cases=a.cases + b.cases, margins=margins, seconds=seconds)


def from_lines(lines: Iterable[str]) -> Record:
    """The record that `to_lines` wrote.

    Raises:
        RecordError: the lines are no record, or of another schema.
    """
    items: dict[str, list[Any]] = {kind: [] for kind in _KINDS}
    header: dict[str, Any] | None = None
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            kind = entry.pop("kind")
            if kind == "campaign":
                schema = entry.pop("schema")
                if schema != SCHEMA:
                    raise RecordError(f"line {number}: schema {schema}; this convcheck reads schema {SCHEMA}")
                header = entry
            else:
                items[kind].append(_KINDS[kind](**_restore(kind, entry)))
        except (json.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, RecordError):
                raise
            raise RecordError(f"line {number} is not a line of a campaign's record: {error}") from error
    if header is None:
        raise RecordError("the campaign's header line is missing; is this a findings.jsonl?")
    parts: dict[str, Any] = {_PLURALS[kind]: tuple(found) for kind, found in items.items()}
    return Record(**header, **parts)


def _restore(kind: str, entry: dict[str, Any]) -> dict[str, Any]:
    if "status" in entry:
        entry["status"] = Status(entry["status"])
    if kind == "finding":
        for name in ("clauses", "before", "dtypes", "also"):
            entry[name] = tuple(entry.get(name, ()))
        if entry["evidence"] is not None:
            entry["evidence"] = Evidence(**{**entry["evidence"], "index": tuple(entry["evidence"]["index"])})
        entry |= _restored_diagnosis(entry)
    return entry


def _restored_diagnosis(entry: dict[str, Any]) -> dict[str, Any]:
    trigger, where = entry.get("trigger"), entry.get("whereabouts")
    if trigger is not None:
        trigger = FailureCondition(**{**trigger, "rule": Rule(**trigger["rule"])})
    if where is not None:
        maps = [HeatMap(**{**m, "shares": tuple(map(tuple, m["shares"]))}) for m in where["maps"]]
        where = Localization(**{**where, "maps": tuple(maps)})
    found = tuple(KnownDefectMatch(**item) for item in entry.get("lookalikes", ()))
    return {"trigger": trigger, "whereabouts": where, "lookalikes": found}
