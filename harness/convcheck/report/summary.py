"""The summary: verdict by level, backend and clause, what was skipped and why, and what the cases covered."""

from __future__ import annotations

from convcheck.model.levels import LAST
from convcheck.model.record import Finding, Record
from convcheck.report.levels import UNFINISHED, sentences
from convcheck.report.reach import reach_in_words
from convcheck.report.sections import levels_section, sections
from convcheck.report.sentence import sentence_of
from convcheck.report.tables import Style, counted, one_line, paragraphs, table, wrapped


def summary(record: Record, style: Style) -> str:
    """The summary as Markdown or plain text."""
    levels, findings = levels_section(record), _findings(record, style)
    parts = [("Verdict", paragraphs("\n".join([verdict(record), *sentences(record)]), style))]
    parts += [(levels.title, table(levels.headers, levels.rows, style))] if levels.rows else []
    parts += [("Findings", findings)] if findings else []
    parts += [(section.title, table(section.headers, section.rows, style)) for section in sections(record)]
    first, others = ("# ", "## ") if style == "markdown" else ("", "")
    head = f"{first}convcheck: {one_line(record.name, style)}"
    return "\n\n".join([head, *(f"{others}{title}\n\n{body}" for title, body in parts)]) + "\n"


def verdict(record: Record) -> str:
    """What the run came to, up to the level that was asked for, as its exit status says."""
    if record.interrupted:
        return UNFINISHED
    up_to = f" as to {one_line(record.clause, 'text')} alone" if record.clause else ""
    up_to += "" if record.level is LAST else f" up to level {record.level.label}"
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


def _findings(record: Record, style: Style) -> str:
    """The sentence of each finding, numbered as in the discrepancies, under its backend where there are several."""
    several = len(record.backends) > 1
    lines = [
        f"{one_line(_about(finding, several=several), style)}: {sentence_of(finding).text(style)}"
        for finding in record.findings
    ]
    return "\n".join(wrapped(line, style, f"{number}. ") for number, line in enumerate(lines, 1))


def _about(finding: Finding, *, several: bool) -> str:
    parts = (finding.level.label, finding.backend if several else "", finding.clause)
    return ", ".join(filter(None, parts)) + (", not looked into" if finding.unexamined else "")
