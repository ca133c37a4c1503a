"""Where each backend stands, level by level: the first sentence of every report, and a line for each level."""

from __future__ import annotations

from typing import Final

from convcheck.model.levels import Level, Standing
from convcheck.model.origins import Origin
from convcheck.model.record import BackendRecord, Record
from convcheck.report.tables import Style, counted, one_line, printable, table
from convcheck_reference.clauses import clause

UNFINISHED: Final = "UNFINISHED: this is what was judged until then; `convcheck resume` goes on."

HEADERS: Final = ("backend", "level", "verdict", "findings", "failures", "passing cases", "known", "")


def opening(record: Record) -> str:
    """A sentence for each backend, what matters most first; what was cut short says so before."""
    cut_short = [UNFINISHED] if record.interrupted else []
    return "\n".join([*cut_short, *sentences(record)])


def sentences(record: Record) -> tuple[str, ...]:
    """What a run says about each backend."""
    return tuple(sentence(record, backend) for backend in record.backends)


def sentence(record: Record, backend: BackendRecord) -> str:
    """What a run says about one backend, level by level, and no more than was looked at."""
    name = printable(" ".join(backend.name.split()))
    if backend.unavailable:
        return f"{name} was not judged: {printable(' '.join(backend.unavailable.split()))}."
    standings = [record.standing(backend.name, level) for level in Level]
    computes, *others = standings
    if not any(standing.judged for standing in standings):
        return f"{name} was judged on nothing: no case could tell right from wrong."
    said = [_computes(computes)] if computes.judged else []
    said += [_failing(standing) for standing in others if standing.fails]
    fine = [f"{s.level.label} ({_in(s.passed)})" for s in others if s.judged and not s.fails]
    said += [f"shows no failure of {', '.join(fine)}"] if fine else []
    said += [_sanitized(backend)] if backend.sanitizer else []
    missed = [standing.level.label for standing in standings if not standing.judged]
    said += [f"was not looked at for {', '.join(missed)}"] if missed else []
    known, outdated = sum(s.known for s in standings), sum(s.outdated for s in standings)
    said += [f"has {counted(known, 'known failure')}"] if known else []
    said += [f"has {counted(outdated, 'known failure')} no more"] if outdated else []
    alone = f", as to {one_line(record.clause, 'text')} alone," if record.clause else ""
    return f"{name}{alone} {'; '.join(said)}."


def rows(record: Record) -> list[tuple[BackendRecord, Standing, str, str]]:
    """Each backend that ran at each level, with a word for how it stands, and what there is to say besides."""
    ran = [backend for backend in record.backends if not backend.unavailable]
    found = [(backend, record.standing(backend.name, level)) for backend in ran for level in Level]
    return [(backend, standing, word(standing), _besides(standing)) for backend, standing in found]


def levels_table(record: Record, style: Style) -> str:
    """The same as a table; empty where no backend ran."""
    shown = [
        [b.name, s.level.label, said, s.findings, s.failures, s.passed, s.known, besides]
        for b, s, said, besides in rows(record)
    ]
    return table(HEADERS, shown, style) if shown else ""


def word(standing: Standing) -> str:
    """The verdict on one level."""
    if standing.fails:
        return "fail"
    if standing.outdated:
        return "unexpected pass"
    if standing.judged:
        return "pass"
    return "known failure" if standing.known else "not looked at"


def _computes(standing: Standing) -> str:
    if standing.fails:
        return _failing(standing)
    if standing.failed:
        wrong = f"and wrong in {standing.failed} for a reason of another level"
        return f"computes legal layers right in {_in(standing.passed)}, {wrong}"
    return f"computes every legal layer right ({_in(standing.passed)})"


def _sanitized(backend: BackendRecord) -> str:
    """What a sanitizer said of the cases that it saw."""
    seen = next((count for count in backend.origins if count.origin is Origin.SANITIZED), None)
    if seen is None:
        return f"was not looked at under {backend.sanitizer}"
    if seen.failing_cases:
        return f"is reported on by {backend.sanitizer} in {seen.failing_cases} of {_in(seen.cases)}"
    return f"ran {_in(seen.cases)} under {backend.sanitizer} without a report"


def _failing(standing: Standing) -> str:
    kinds, let_through = standing.kinds, standing.kinds_let_through
    if let_through:
        return f"refuses {len(let_through)} of {counted(len(kinds), 'kind')} of illegal arguments too little"
    cases = f" in {standing.failed} of {_in(standing.passed + standing.failed)}" if standing.failed else ""
    found = [counted(standing.findings, "finding")] if standing.findings else []
    found += [f"{_in(standing.not_looked_at)} not looked at"] if standing.not_looked_at else []
    return f"{_WRONG[standing.level]}{cases} ({', '.join(found)})"


_WRONG: Final = {
    Level.COMPUTES: "computes legal layers wrong",
    Level.IEEE: "treats NaN, Inf or subnormals otherwise than IEEE 754",
    Level.PRECISION: "is less precise than promised",
    Level.REFUSES: "refuses illegal arguments too little",
    Level.STATE: "depends on earlier calls, differs from time to time, or leaves something behind",
}


def _in(cases: int) -> str:
    return counted(cases, "case")


def _besides(standing: Standing) -> str:
    kinds, let_through = standing.kinds, standing.kinds_let_through
    if let_through:
        titles = ", ".join(f"{kind} {clause(kind).title}" for kind in let_through)
        return f"{len(let_through)} of {counted(len(kinds), 'kind')} too little: {titles}"
    if kinds:
        return counted(len(kinds), "kind")
    if standing.not_looked_at:
        return f"{_in(standing.not_looked_at)} not looked at"
    if standing.failed and not standing.findings:
        return f"{_in(standing.failed)} wrong for a reason of another level"
    return ""
