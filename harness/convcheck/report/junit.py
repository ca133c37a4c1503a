"""JUnit XML: one test case for each backend and clause, as CI services show them.

The level is the group of a test case, the one place that the schema leaves for it; how a backend stands at each level
are properties of its suite. The time of a suite is what its backend took, added up over the judging processes: the
clauses share the cases, so none has a time of its own.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from convcheck.model.levels import Level, level_of_clause
from convcheck.model.record import Record
from convcheck.model.verdicts import FAILURES, Status
from convcheck.report.failure_text import failure_text
from convcheck.report.levels import word
from convcheck.report.matrix import clause_verdict
from convcheck.report.tables import printable
from convcheck_reference.clauses import CLAUSES


def _why(status: Status | None, judged: int, failed: int) -> str:
    """Why a clause neither passes nor fails; for one explained by another, in how many cases."""
    return f"{status or 'not judged'}{f': {failed} of {judged} cases' if failed else ''}"


def junit(record: Record) -> str:
    """The XML document."""
    root = ET.Element("testsuites", name="convcheck", time=f"{record.seconds:.3f}")
    for backend in record.backends:
        seconds = f"{sum(backend.seconds.values()):.3f}"
        suite = ET.SubElement(root, "testsuite", name=backend.name, timestamp=record.started, time=seconds)
        properties = ET.SubElement(suite, "properties")
        for level in Level:
            standing = record.standing(backend.name, level)
            ET.SubElement(properties, "property", name=f"level {level.label}", value=word(standing))
        failures = skipped = 0
        for clause in CLAUSES:
            test = ET.SubElement(suite, "testcase", classname=backend.name, name=f"{clause.id} {clause.title}")
            status, judged, failed = clause_verdict(record, backend.name, clause.id)
            its_own = [f for f in record.open_findings if (f.backend, f.clause) == (backend.name, clause.id)]
            mine = [f for f in its_own if f.level.within(record.level)]
            levels = [f.level for f in mine or its_own] or [level_of_clause(clause.id)]
            test.set("group", min(levels, key=lambda level: level.rank).label)
            if mine or status in FAILURES:
                failures += 1
                message = mine[0].verdict.reason if mine else f"{failed} of {judged} cases"
                node = ET.SubElement(test, "failure", type=str(mine[0].status if mine else status), message=message)
                node.text = "\n\n".join(map(failure_text, mine))
            elif its_own:
                skipped += 1
                reason = its_own[0].verdict.reason
                ET.SubElement(test, "skipped", message=f"beyond level {record.level.label}: {reason}")
            elif status is not Status.PASS:
                skipped += 1
                why = f"unavailable: {backend.unavailable}" if backend.unavailable else _why(status, judged, failed)
                ET.SubElement(test, "skipped", message=why)
        counts = {"tests": len(CLAUSES), "failures": failures, "errors": 0, "skipped": skipped}
        suite.attrib |= {name: str(number) for name, number in counts.items()}
    ET.indent(root)
    return printable(ET.tostring(root, encoding="unicode", xml_declaration=True)) + "\n"
