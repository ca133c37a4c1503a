"""The summary: verdict by level, backend and clause, what was skipped and why, and what the cases covered."""

from __future__ import annotations

from collections import Counter

from convcheck.model.levels import LAST, level_of_clause
from convcheck.model.record import BackendRecord, Record
from convcheck.model.verdicts import FAILURES, Status
from convcheck.report.guarantees import guarantees_table
from convcheck.report.levels import UNFINISHED, levels_table, opening
from convcheck.report.matrix import cell, clauses_in_order
from convcheck.report.rare_calls import CONFIDENCE, excluded_rates
from convcheck.report.reach import reach_in_words, reach_table
from convcheck.report.tables import Style, counted, one_line, paragraph, table

_IN_FINDINGS = FAILURES | {Status.ELSEWHERE}


def summary(record: Record, style: Style) -> str:
    """The summary as Markdown or plain text."""
    sections = [
        ("Verdict", f"{paragraph(opening(record), style)}\n\n{verdict(record)}"),
        ("Levels", levels_table(record, style)),
        ("Backends", _backends(record, style)),
        ("Untrusted", guarantees_table(record, style)),
        ("Cases", _origins(record, style)),
        ("Findings", _findings(record, style)),
        ("Not looked at", _not_looked_at(record, style)),
        ("Clauses", _clauses(record, style)),
        ("Statuses", _statuses(record, style)),
        ("Margins", _margins(record, style)),
        ("Rare wrong calls", _rare(record, style)),
        (f"Reach ({record.ladder})", reach_table(record, style)),
        ("Coverage", _coverage(record, style)),
        ("This run", _run(record, style)),
    ]
    mark = "## " if style == "markdown" else ""
    parts = [f"{'# ' if style == 'markdown' else ''}convcheck: {one_line(record.name, style)}"]
    parts += [f"{mark}{title}\n\n{body}" for title, body in sections if body]
    return "\n\n".join(parts) + "\n"


def verdict(record: Record) -> str:
    """What the run came to, up to the level that was asked for, as its exit status says."""
    if record.interrupted:
        return UNFINISHED
    up_to = "" if record.level is LAST else f" up to level {record.level.label}"
    if record.decisive_findings:
        return f"DOES NOT CONFORM{up_to}: {counted(len(record.decisive_findings), 'finding')}."
    if record.undecided:
        return f"DOES NOT CONFORM{up_to}: {counted(record.undecided, 'case')} whose failures were not looked at."
    if not record.conforms:
        return f"NOTHING WAS JUDGED{up_to}: no backend ran on a case that could tell right from wrong."
    looked = [words for backend in record.backends if (words := reach_in_words(record, backend))]
    beyond = f"{counted(len(record.open_findings), 'finding')} of later levels"
    found = beyond if record.open_findings else "no findings"
    return " ".join([f"CONFORMS{up_to}: {found}.", *(f"Looked at {words}." for words in looked)])


def _clauses(record: Record, style: Style) -> str:
    ran = [b.name for b in record.backends if not b.unavailable]
    rows = [
        [level_of_clause(clause.id).label, clause.id, clause.title, *(cell(record, name, clause.id) for name in ran)]
        for clause in clauses_in_order(record)
    ]
    return table(["level", "clause", "title", *ran], rows, style) if ran else ""


def _backends(record: Record, style: Style) -> str:
    rows = [
        [
            b.name,
            b.unavailable or "ran",
            b.cases,
            record.judged(b.name),
            sum(f.backend == b.name for f in record.open_findings),
            ", ".join(f"{k} {v}" for k, v in b.versions.items()),
        ]
        for b in record.backends
    ]
    return table(["backend", "state", "cases", "verdicts", "findings", "versions"], rows, style)


def _origins(record: Record, style: Style) -> str:
    rows = []
    for backend in record.backends:
        findings = [f for f in record.findings if f.backend == backend.name]
        for count in backend.origins:
            alone = sum(f.origins == (count.origin,) for f in findings)
            shown = sum(count.origin in f.origins for f in findings)
            rows.append([backend.name, str(count.origin), count.cases, count.failing_cases, shown, alone])
    headers = ["backend", "how they came about", "cases", "failing cases", "findings", "findings of these cases alone"]
    return table(headers, rows, style) if rows else ""


def _findings(record: Record, style: Style) -> str:
    rows = [
        [
            f.backend,
            f.level.label,
            f.clause,
            f"{f.status}{', never seen again' if f.seen_once else ', not looked into' if f.unexamined else ''}",
            f.verdict.quantity,
            f.failing_cases,
            f.reproduction.history or f.reproduction.token,
        ]
        for f in record.findings
    ]
    headers = ["backend", "level", "clause", "status", "quantity", "failing cases", "smallest case"]
    return table(headers, rows, style) if rows else ""


def _not_looked_at(record: Record, style: Style) -> str:
    """Failures that belong to no finding, as nobody looked: by clause, each case under all that it exercises."""
    rows = [[c.backend, c.clause, c.status, c.cases] for c in record.not_looked_at]
    return table(["backend", "clause", "status", "failing cases"], rows, style) if rows else ""


def _statuses(record: Record, style: Style) -> str:
    totals: Counter[tuple[str, str, str]] = Counter()
    for c in record.counts:
        # a failure's reason is in its finding; a refusal to judge is explained here
        totals[c.backend, str(c.status), "" if c.status in _IN_FINDINGS else c.reason] += c.cases
    rows = [[*key, number] for key, number in sorted(totals.items())]
    return table(["backend", "status", "reason", "verdicts"], rows, style)


def _margins(record: Record, style: Style) -> str:
    rows = []
    for b in record.backends:
        for key, margin in b.margins.items():
            rows.append([b.name, key, _profile(b, key), f"{margin:.3g}", b.behaviour.get(key, "")])
    headers = ["backend", "dtype and quantity", "profile", "largest error / bound", "behaves like"]
    return table(headers, rows, style) if rows else ""


def _profile(backend: BackendRecord, key: str) -> str:
    return backend.profiles[key].name if key in backend.profiles else ""


def _rare(record: Record, style: Style) -> str:
    """What rate of wrong calls a run excludes, where it saw none."""
    rows = [
        [b.name, quantity, calls, said] for b in record.backends for quantity, calls, said in excluded_rates(record, b)
    ]
    headers = ["backend", "quantity", "calls found right", f"wrong calls, with {CONFIDENCE:.0%} confidence"]
    return table(headers, rows, style) if rows else ""


def _coverage(record: Record, style: Style) -> str:
    by_parameter: dict[str, list[str]] = {}
    for row in record.coverage:
        by_parameter.setdefault(row.parameter, []).append(f"{row.value}: {row.cases}")
    rows = [[parameter, len(values), ", ".join(values[:12])] for parameter, values in by_parameter.items()]
    return table(["parameter", "values", "cases by value, most frequent first"], rows, style)


def _run(record: Record, style: Style) -> str:
    rows: list[tuple[object, ...]] = [
        ("command", record.command),
        ("seed", record.seed),
        ("cases", record.cases),
        ("started", record.started),
        ("seconds", f"{record.seconds:.1f}"),
        ("convcheck", record.version),
        *record.environment.items(),
    ]
    return table(["", ""], rows, style)
