"""The discrepancies: each finding once, with all that is needed to understand and repeat it."""

from __future__ import annotations

from convcheck.model.diagnosis import Diagnosis
from convcheck.model.history import in_words, read_history
from convcheck.model.levels import MEANINGS
from convcheck.model.record import Finding, Record
from convcheck.model.reproduction import Reproduction
from convcheck.model.token import read
from convcheck.model.verdicts import Evidence
from convcheck.report.failing_case import failing_drawing
from convcheck.report.heat_maps import as_text
from convcheck.report.levels import opening
from convcheck.report.replaying import replay_command
from convcheck.report.sentence import sentence_of
from convcheck.report.tables import definitions, fenced, one_line, paragraphs, wrapped
from convcheck_reference.clauses import clause

Rows = list[tuple[str, str]]


def discrepancies(record: Record) -> str:
    """The page as Markdown."""
    head = f"# Discrepancies of {one_line(record.name, 'markdown')}\n\n{paragraphs(opening(record), 'markdown')}\n\n"
    if not record.findings:
        return f"{head}None.\n"
    parts = [_finding(number, finding) for number, finding in enumerate(record.findings, 1)]
    return head + "\n".join(parts)


def details(finding: Finding) -> Rows:
    """A finding as (name, text) rows."""
    broken, verdict, reproduction = clause(finding.clause), finding.verdict, finding.reproduction
    rows = [
        ("clause", f"{broken.id} {broken.title}: {broken.text}"),
        ("level", f"{finding.level.label}: {MEANINGS[finding.level]}"),
        ("status", str(finding.status)),
    ]
    if reproduction.token:
        rows += [("layer", str(read(reproduction.token).arguments)), _smallest(reproduction)]
    rows.append(("what is wrong", verdict.reason))
    if verdict.evidence is not None:
        rows += _evidence(verdict.evidence)
    if verdict.margin is not None:
        rows.append(("error / bound", f"{verdict.margin:.4g}"))
    rows += _diagnosis(finding.diagnosis)
    dtypes = ", ".join(finding.dtypes)
    rows += [
        ("failing cases", f"{finding.failing_cases} ({dtypes})" if dtypes else str(finding.failing_cases)),
        ("came up among", ", ".join(f"{origin} cases" for origin in finding.origins)),
        ("also affects", ", ".join(finding.also_affects)),
        ("other clauses", ", ".join(c for c in verdict.clauses if c != finding.clause)),
        ("not looked into", "it is shown as it came: the run ended before it was shrunk" if finding.unexamined else ""),
        *_reproduction(reproduction),
        ("known", finding.known),
    ]
    return [(name, text) for name, text in rows if text]


def diagnosis(finding: Finding) -> str:
    """The diagnosis in one line: "fails iff …; behaves like …"; empty if there is none."""
    found = finding.diagnosis
    said = [found.declaration] if found.declaration else []
    said += [str(found.failure_condition)] if found.failure_condition is not None else []
    said += [f"every failure is explained by: {found.promise.words}"] if found.promise is not None else []
    said += [f"behaves like {match.summary}" for match in found.known_defects[:1]]
    return "; ".join(said)


def _smallest(found: Reproduction) -> tuple[str, str]:
    if not found.history:
        return "smallest case", found.token
    steps = in_words(read_history(found.history))
    return "smallest history", "; ".join(f"{number}. {words}" for number, words in enumerate(steps, 1))


def _evidence(evidence: Evidence) -> Rows:
    return [
        ("worst element", str(evidence.index) if evidence.index else ""),
        ("expected", evidence.expected),
        ("got", evidence.got),
        ("wrong elements", f"{evidence.wrong} of {evidence.total}: {evidence.location}"),
    ]


def _diagnosis(found: Diagnosis) -> Rows:
    condition, where = found.failure_condition, found.localization
    return [
        ("promise", "" if found.promise is None else str(found.promise)),
        ("declaration", found.declaration),
        ("failure condition", "" if condition is None else str(condition)),
        ("makes no difference", _free(found.free)),
        *(("known defect", str(match)) for match in found.known_defects),
        ("localization", "" if where is None else f"{where.words}, in {where.token}"),
        ("cross-check", found.cross_check),
    ]


def _free(names: tuple[str, ...]) -> str:
    """Hypothesis' comments as a sentence: "any other value of dilation or groups fails as well"."""
    if not names:
        return ""
    *others, last = names
    listed = f"{', '.join(others)} or {last}" if others else last
    return f"any other value of {listed} fails as well{', one at a time' if others else ''}"


def _reproduction(found: Reproduction) -> Rows:
    rows = [
        ("first failing case", found.first_failing_case),
        ("repeated", f"{found.reproduced} of {found.attempts} times in a fresh process" if found.attempts else ""),
        ("setup cases", ", ".join(found.setup_cases)),
    ]
    if found.state_dependent:
        first_only = "it fails on a fresh candidate only"
        earlier = "it needs earlier calls of the case: where each call meets a fresh candidate, none fails"
        rows.append(("state", first_only if found.standalone else earlier))
    return [*rows, ("script", found.script)]


def _pictures(finding: Finding) -> str:
    """The failing case, and where a telling case is wrong, as characters."""
    where = finding.diagnosis.localization
    maps = [as_text(found) for found in (where.maps if where is not None else ())]
    return "".join(f"\n\n{fenced(text, 'text')}" for text in (failing_drawing(finding), *maps) if text)


def _finding(number: int, finding: Finding) -> str:
    """What it is, how it is repeated, and then all that is known of it."""
    broken = f"{finding.level.label}: {finding.clause}, {finding.verdict.quantity}"
    seen_once = ", never seen again" if finding.seen_once else ""
    heading = f"## {number}. {one_line(f'{broken}, {finding.status}{seen_once}', 'markdown')}"
    backend = wrapped(one_line(f"Backend: {finding.backend}", "markdown"), "markdown")
    said = wrapped(sentence_of(finding).statement("markdown"), "markdown")
    command = replay_command(finding)
    repeat = [fenced(command, "sh")] if command else []
    body = definitions(details(finding), "markdown")
    return "\n\n".join([heading, backend, said, *repeat, body]) + f"{_pictures(finding)}\n"
