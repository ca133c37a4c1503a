"""Records of parts of one run, put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from convcheck.model.coverage import Coverage
from convcheck.model.guarantees import Guarantee
from convcheck.model.levels import Level, LevelCount
from convcheck.model.origins import Origin, OriginCount
from convcheck.model.passes import added
from convcheck.model.reach import Reach, ReachCount
from convcheck.model.record import BackendRecord, Count, Record, by_level
from convcheck.model.verdicts import Status


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
