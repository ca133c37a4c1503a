"""What is other in one run than in another: findings that are new, gone or changed, and margins that drift."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from convcheck.model.record import Finding, Record
from convcheck.report.discrepancies import diagnosis
from convcheck.report.tables import Style, counted, printable, table

DRIFT: Final = 2.0
"""Times by which a margin has to differ to be told of: the largest of a thousand cases varies less between seeds."""


class Change(StrEnum):
    """What became of a finding."""

    NEW = "new"
    CHANGED = "changed"
    FIXED = "fixed"
    NOT_SEEN = "not seen, in a run that is unfinished"


@dataclass(frozen=True, slots=True)
class Changed:
    """A finding that is other in one run than in another.

    Attributes:
        change: what became of it.
        finding: as the later run has it; where that has none, as the earlier one had it.
        was: what the earlier run said of it; empty for a new one.
    """

    change: Change
    finding: Finding
    was: str = ""


@dataclass(frozen=True, slots=True)
class Drift:
    """The largest margin of a backend in one dtype and quantity, in two runs."""

    backend: str
    key: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How a run differs from an earlier one.

    Attributes:
        changed: findings, what is new first.
        drifts: margins.
        backends: those of the earlier run that the later one did not judge, and the other way round, in words.
        settings: what the runs were asked for otherwise, in words.
    """

    changed: tuple[Changed, ...]
    drifts: tuple[Drift, ...]
    backends: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()

    @property
    def worse(self) -> bool:
        """Whether there is a finding that was not there before, or is another one now."""
        return any(changed.change in (Change.NEW, Change.CHANGED) for changed in self.changed)


def difference(before: Record, after: Record, drift: float = DRIFT) -> Difference:
    """How a run differs from an earlier one.

    Args:
        before: the earlier run.
        after: the later one.
        drift: times by which a margin has to differ.
    """
    old, new = _judged(before), _judged(after)
    both = old & new
    changed = [
        change
        for key in dict.fromkeys([*_by_key(after.findings, both), *_by_key(before.findings, both)])
        for change in _matched(
            _by_key(before.findings, both)[key], _by_key(after.findings, both)[key], unfinished=after.interrupted
        )
    ]
    order = list(Change)
    return Difference(
        changed=tuple(sorted(changed, key=lambda each: order.index(each.change))),
        drifts=tuple(_drifts(before, after, drift)),
        backends=(
            *(f"{name} was judged before, and is not now" for name in sorted(old - new)),
            *(f"{name} was not judged before" for name in sorted(new - old)),
        ),
        settings=tuple(_settings(before, after)),
    )


def difference_text(found: Difference, style: Style) -> str:
    """The difference as Markdown or plain text."""
    rows = [
        [
            changed.change,
            changed.finding.backend,
            changed.finding.level.label,
            changed.finding.clause,
            changed.finding.verdict.quantity,
            said(changed.finding),
            changed.was,
            changed.finding.reproduction.history or changed.finding.reproduction.token,
        ]
        for changed in found.changed
    ]
    headers = ["", "backend", "level", "clause", "quantity", "what it is", "what it was", "smallest case"]
    drifts = [[d.backend, d.key, f"{d.before:.3g}", f"{d.after:.3g}"] for d in found.drifts]
    counts = [
        counted(sum(c.change is change for c in found.changed), f"{change} finding")
        for change in (Change.NEW, Change.CHANGED, Change.FIXED)
    ]
    parts = [
        *found.settings,
        *map(printable, found.backends),
        table(headers, rows, style) if rows else "",
        table(["backend", "dtype and quantity", "error / bound before", "now"], drifts, style) if drifts else "",
        f"{', '.join(counts)}.",
    ]
    return "\n\n".join(part for part in parts if part)


def _judged(record: Record) -> set[str]:
    return {backend.name for backend in record.backends if not backend.unavailable}


def _by_key(findings: Iterable[Finding], backends: set[str]) -> defaultdict[tuple[str, ...], list[Finding]]:
    """The findings of some backends by what they are about: tokens and counts differ from seed to seed."""
    found: defaultdict[tuple[str, ...], list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.backend in backends:
            found[finding.backend, finding.level, finding.clause, finding.verdict.quantity].append(finding)
    return found


def _matched(before: Sequence[Finding], after: Sequence[Finding], *, unfinished: bool) -> Iterable[Changed]:
    """What became of findings about the same, those that say the same taken away first."""
    old, new = list(before), list(after)
    for finding in after:
        same = next((each for each in old if said(each) == said(finding)), None)
        if same is not None:
            old.remove(same)
            new.remove(finding)
    for was, finding in zip(old, new, strict=False):
        yield Changed(Change.CHANGED, finding, said(was))
    yield from (Changed(Change.NEW, finding) for finding in new[len(old) :])
    gone = Change.NOT_SEEN if unfinished else Change.FIXED
    yield from (Changed(gone, finding, said(finding)) for finding in old[len(new) :])


def said(finding: Finding) -> str:
    """Status, and the diagnosis or, without one, what is wrong."""
    return f"{finding.status}: {diagnosis(finding) or finding.verdict.reason}"


def _drifts(before: Record, after: Record, drift: float) -> Iterable[Drift]:
    margins = {backend.name: backend.margins for backend in before.backends}
    for backend in after.backends:
        for key, margin in backend.margins.items():
            was = margins.get(backend.name, {}).get(key)
            if was is not None and max(was, margin) > drift * min(was, margin):
                yield Drift(backend.name, key, was, margin)


def _settings(before: Record, after: Record) -> Iterable[str]:
    """What differs between the runs besides the backends: their findings may differ for that."""
    for name, was, now in (
        ("cases", before.examples, after.examples),
        ("seed", before.seed, after.seed),
        ("reach", str(before.ladder), str(after.ladder)),
        ("convcheck", before.version, after.version),
    ):
        if was != now:
            yield f"{name}: {was} before, {now} now"
    for record, when in ((before, "earlier"), (after, "later")):
        if record.interrupted:
            yield f"the {when} run is UNFINISHED: what it lacks may be what it did not come to"
