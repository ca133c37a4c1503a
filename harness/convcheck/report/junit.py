"""JUnit XML: one test case for each backend and clause, as CI services show them."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from convcheck.model.record import Record
from convcheck.model.verdicts import FAILURES, Status
from convcheck.report.discrepancies import replay_command
from convcheck.report.summary import clause_verdict
from convcheck_reference.clauses import CLAUSES


def junit(record: Record) -> str:
    """The XML document."""
    root = ET.Element("testsuites", name="convcheck")
    for backend in record.backends:
        suite = ET.SubElement(root, "testsuite", name=backend.name, timestamp=record.started)
        failures = skipped = 0
        for clause in CLAUSES:
            test = ET.SubElement(suite, "testcase", classname=backend.name, name=f"{clause.id} {clause.title}")
            status, judged, failed = clause_verdict(record, backend.name, clause.id)
            mine = [f for f in record.open_findings if (f.backend, f.clause) == (backend.name, clause.id)]
            if mine or status in FAILURES:
                failures += 1
                message = mine[0].verdict.reason if mine else f"{failed} of {judged} cases"
                node = ET.SubElement(test, "failure", message=_printable(message))
                node.text = _printable("\n".join(f"{f.verdict.reason}\n{replay_command(f)}" for f in mine))
            elif status is not Status.PASS:
                skipped += 1
                ET.SubElement(test, "skipped", message=_printable(backend.unavailable or str(status or "not judged")))
        suite.attrib |= {"tests": str(len(CLAUSES)), "failures": str(failures), "skipped": str(skipped)}
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _printable(text: str) -> str:
    """XML 1.0 has no control characters other than tab and newlines."""
    return "".join(c if c in "\t\n\r" or ord(c) >= 0x20 else "�" for c in text)
