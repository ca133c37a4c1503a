"""The discrepancies: each finding once, with all that is needed to understand and repeat it."""

from __future__ import annotations

from convcheck.model.record import Finding, Record
from convcheck.model.token import read
from convcheck.report.tables import table
from convcheck.triage.diagnosis.heat_map import as_text
from convcheck_reference.clauses import clause


def discrepancies(record: Record) -> str:
    """The page as Markdown."""
    if not record.findings:
        return f"# Discrepancies of {record.name}\n\nNone.\n"
    parts = [_finding(number, finding) for number, finding in enumerate(record.findings, 1)]
    return f"# Discrepancies of {record.name}\n\n" + "\n".join(parts)


def replay_command(finding: Finding) -> str:
    """The command line that repeats a finding."""
    tokens = " ".join(f"'{token}'" for token in (*finding.before, finding.token))
    return f"convcheck replay {tokens} --backend {finding.backend}"


def details(finding: Finding) -> list[tuple[str, str]]:
    """A finding as (name, text) rows."""
    broken = clause(finding.clause)
    rows = [("clause", f"{broken.id} {broken.title}: {broken.text}"), ("status", str(finding.status))]
    if finding.token:
        rows += [("layer", str(read(finding.token).arguments)), ("smallest case", finding.token)]
    rows.append(("what is wrong", finding.reason))
    if finding.evidence is not None:
        e = finding.evidence
        rows += [
            ("worst element", str(e.index)),
            ("expected", e.expected),
            ("got", e.got),
            ("wrong elements", f"{e.wrong} of {e.total}: {e.location}"),
        ]
    if finding.margin is not None:
        rows.append(("error / bound", f"{finding.margin:.4g}"))
    rows += _diagnosis(finding)
    rows += [
        ("cases", f"{finding.hits} ({', '.join(finding.dtypes)})"),
        ("also wrong", ", ".join(finding.also)),
        ("found as", finding.first_failing_case),
        ("repeated", f"{finding.reproduced} of {finding.attempts} times in a fresh process"),
        ("other clauses", ", ".join(finding.clauses[1:])),
    ]
    if finding.before:
        rows.append(("needs first", ", ".join(finding.before)))
    if finding.remembers:
        first_only = "nothing: it fails on a fresh candidate only"
        earlier = "earlier calls of the case: where each call meets a fresh candidate, none fails"
        rows.append(("needs first", first_only if finding.standalone else earlier))
    if finding.known:
        rows.append(("known", finding.known))
    if finding.script:
        rows.append(("script", finding.script))
    return [(name, text) for name, text in rows if text]


def diagnosis(finding: Finding) -> str:
    """The diagnosis in one line: "fails iff …; behaves like …"; empty if there is none."""
    said = [str(finding.trigger)] if finding.trigger is not None else []
    said += [f"behaves like {alike.summary}" for alike in finding.lookalikes[:1]]
    return "; ".join(said)


def _diagnosis(finding: Finding) -> list[tuple[str, str]]:
    untold = f"{finding.unclassified} of the cases were not told apart" if finding.unclassified else ""
    where = finding.whereabouts
    return [
        ("when", "" if finding.trigger is None else str(finding.trigger)),
        *(("behaves like", str(alike).removeprefix("behaves like ")) for alike in finding.lookalikes),
        ("where", "" if where is None else f"{where.words}, in {where.token}"),
        ("who is wrong", finding.arbitration),
        ("perhaps more", untold),
    ]


def _maps(finding: Finding) -> str:
    maps = finding.whereabouts.maps if finding.whereabouts is not None else ()
    return "".join(f"\n\n```text\n{as_text(found)}\n```" for found in maps)


def _finding(number: int, finding: Finding) -> str:
    heading = f"## {number}. {finding.backend}: {finding.clause}, {finding.quantity}, {finding.status}"
    body = table(["", ""], details(finding), "markdown")
    repeat = f"\n\n```sh\n{replay_command(finding)}\n```\n" if finding.token else "\n"
    return f"{heading}\n\n{body}{_maps(finding)}{repeat}"
