"""What every report shows besides findings: the same tables in the same order, whether as text, Markdown or HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from convcheck.model.levels import MEANINGS, level_of_clause
from convcheck.model.record import BackendRecord, Record
from convcheck.model.verdicts import FAILURES, Status
from convcheck.report.guarantees import GUARANTEES_HEADERS, guarantees_rows
from convcheck.report.levels import HEADERS, rows
from convcheck.report.matrix import cell, clause_verdict, clauses_in_order
from convcheck.report.plots import margin_bar
from convcheck.report.rare_calls import CONFIDENCE, excluded_rates
from convcheck.report.reach import REACH_HEADERS, reach_rows, reach_strips
from convcheck.report.statuses import STATUSES_HEADERS, statuses_rows
from convcheck_reference.clauses import Clause

_BARS: Final = "Bars are logarithmic, from 0.001 to 100; the line across is the bound."
_STRIPS: Final = (
    "Ticks are values to be reached, on a logarithmic scale: tall where a case reached one, short where none did."
)

_LONG: Final = 16
"""Characters of a word that fits any column."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of which a page shows more than its text.

    Attributes:
        text: as every report shows it.
        mark: "pass", "bad" or "none", a class of the page's style.
        plot: inline SVG of our own numbers, beside the text.
        hint: what the text stands for.
    """

    text: object
    mark: str = ""
    plot: str = ""
    hint: str = ""

    def __str__(self) -> str:
        """The text."""
        return str(self.text)

    @property
    def wrapping(self) -> str:
        """How a page breaks its lines: within long words, such as paths and cases, and never within one short word.

        A zero is told apart, since a phone shows only what there is.
        """
        words = str(self.text).split()
        if self.text == 0:
            return "zero"
        if any(len(word) > _LONG for word in words):
            return "wraps"
        return "short" if len(words) == 1 else ""


@dataclass(frozen=True, slots=True)
class Section:
    """A table with a title.

    Attributes:
        title: its heading.
        headers: of its columns.
        rows: of as many cells.
        folded: whether a page shows it to those who ask for it.
        plots: what its plots mean; empty without any.
    """

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[object]]
    folded: bool = False
    plots: str = ""


def levels_section(record: Record) -> Section:
    """Where each backend stands at each level; first of all."""
    shown = [
        (
            b.name,
            Cell(s.level.label, hint=MEANINGS[s.level]),
            Cell(word, "pass" if word == "pass" else "bad" if s.fails or s.outdated else "none"),
            *(s.findings, s.failures, s.passed, s.known, besides),
        )
        for b, s, word, besides in rows(record)
    ]
    return Section("Levels", HEADERS, shown)


def sections(record: Record) -> tuple[Section, ...]:
    """What comes after the findings; tables without a row are left out."""
    found = (
        _not_looked_at(record),
        _backends(record),
        Section("Untrusted", GUARANTEES_HEADERS, guarantees_rows(record)),
        _origins(record),
        _clauses(record),
        _margins(record),
        _rare(record),
        Section(f"Reach ({record.ladder})", REACH_HEADERS, list(_reach(record)), folded=True, plots=_STRIPS),
        Section("Statuses", STATUSES_HEADERS, statuses_rows(record), folded=True),
        _coverage(record),
        _run(record),
    )
    return tuple(section for section in found if section.rows)


def _not_looked_at(record: Record) -> Section:
    """Failures that belong to no finding, as nobody looked: by clause, each case under all that it exercises."""
    shown = [(c.backend, c.clause, Cell(c.status, "bad"), c.cases) for c in record.not_looked_at]
    return Section("Not looked at", ("backend", "clause", "status", "failing cases"), shown)


def _backends(record: Record) -> Section:
    shown = [
        (
            b.name,
            b.unavailable or "ran",
            b.cases,
            record.judged(b.name),
            sum(f.backend == b.name for f in record.open_findings),
            ", ".join(f"{k} {v}" for k, v in b.versions.items()),
        )
        for b in record.backends
    ]
    return Section("Backends", ("backend", "state", "cases", "verdicts", "findings", "versions"), shown)


def _origins(record: Record) -> Section:
    shown = []
    for backend in record.backends:
        findings = [f for f in record.findings if f.backend == backend.name]
        for count in backend.origins:
            alone = sum(f.origins == (count.origin,) for f in findings)
            found = sum(count.origin in f.origins for f in findings)
            shown.append((backend.name, str(count.origin), count.cases, count.failing_cases, found, alone))
    headers = ("backend", "how they came about", "cases", "failing cases", "findings", "findings of these alone")
    return Section("Cases", headers, shown)


def _clauses(record: Record) -> Section:
    ran = [b for b in record.backends if not b.unavailable]
    shown = [
        (
            level_of_clause(clause.id).label,
            Cell(clause.id, hint=clause.text),
            clause.title,
            *(Cell(cell(record, b.name, clause.id), _mark(record, b, clause)) for b in ran),
        )
        for clause in clauses_in_order(record)
    ]
    return Section("Clauses", ("level", "clause", "title", *(b.name for b in ran)), shown if ran else (), folded=True)


def _mark(record: Record, backend: BackendRecord, clause: Clause) -> str:
    status, _, failed = clause_verdict(record, backend.name, clause.id)
    if status is Status.ELSEWHERE:
        return "none"
    if failed or status is Status.UNEXPECTED_PASS or status in FAILURES:
        return "bad"
    return "pass" if status is Status.PASS else "none"


def _margins(record: Record) -> Section:
    shown = [
        (
            b.name,
            key,
            b.profiles[key].name if key in b.profiles else "",
            Cell(f"{margin:.3g}", "pass" if margin <= 1 else "bad", margin_bar(margin)),
            b.behaviour.get(key, ""),
        )
        for b in record.backends
        for key, margin in b.margins.items()
    ]
    headers = ("backend", "dtype and quantity", "profile", "largest error / bound", "behaves like")
    return Section("Margins", headers, shown, plots=_BARS)


def _rare(record: Record) -> Section:
    """What rate of wrong calls a run excludes, where it saw none."""
    shown = [
        (b.name, quantity, calls, said) for b in record.backends for quantity, calls, said in excluded_rates(record, b)
    ]
    headers = ("backend", "quantity", "calls found right", f"wrong calls, with {CONFIDENCE:.0%} confidence")
    return Section("Rare wrong calls", headers, shown)


def _reach(record: Record) -> Iterator[Sequence[object]]:
    for (*before, met, missed), strip in zip(reach_rows(record), reach_strips(record), strict=True):
        yield *before, Cell(met, plot=strip), missed


def _coverage(record: Record) -> Section:
    by_parameter: dict[str, list[str]] = {}
    for row in record.coverage:
        by_parameter.setdefault(row.parameter, []).append(f"{row.value}: {row.cases}")
    shown = [(parameter, len(values), ", ".join(values[:12])) for parameter, values in by_parameter.items()]
    return Section("Coverage", ("parameter", "values", "cases by value, most frequent first"), shown, folded=True)


def _run(record: Record) -> Section:
    shown: list[tuple[object, ...]] = [
        ("command", record.command),
        ("seed", record.seed),
        ("cases", record.cases),
        ("started", record.started),
        ("seconds", f"{record.seconds:.1f}"),
        ("convcheck", record.version),
        *record.environment.items(),
    ]
    return Section("This run", ("", ""), shown)
